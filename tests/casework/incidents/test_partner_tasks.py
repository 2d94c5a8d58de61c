"""What partners owe: overdue is a matter of the moment, never of the store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from casework.incidents.partner_tasks import PartnerTask, TaskStatus, due_within, owed
from casework.policy.bundle import load_bundle
from casework.resources import resource
from tests.factories.gates import NOW

HOUR = timedelta(hours=1)
TASK = PartnerTask(1, "Legal", "what", due=NOW + HOUR, asked_by="mia", asked_at=NOW)


def test_a_task_is_overdue_once_its_time_has_passed() -> None:
    assert TASK.status(TASK.due) is TaskStatus.OWED
    assert TASK.status(TASK.due + timedelta(seconds=1)) is TaskStatus.OVERDUE
    assert TASK.late(NOW) == timedelta(0)
    assert TASK.late(NOW + 3 * HOUR) == 2 * HOUR


def test_what_came_stays_as_late_as_it_came() -> None:
    done = replace(TASK, done_at=NOW + 2 * HOUR)
    assert done.status(NOW + 9 * HOUR) is TaskStatus.DONE
    assert done.late(NOW + 9 * HOUR) == HOUR
    assert replace(TASK, done_at=NOW).late(NOW + 9 * HOUR) == timedelta(0)


def test_what_is_not_needed_is_never_late() -> None:
    gone = replace(TASK, cancelled_at=NOW + 2 * HOUR)
    assert gone.status(NOW + 9 * HOUR) is TaskStatus.CANCELLED
    assert gone.late(NOW + 9 * HOUR) == timedelta(0)


def test_the_first_due_is_owed_first() -> None:
    soon, gone = replace(TASK, number=2, due=NOW), replace(TASK, number=3, done_at=NOW)
    assert [each.number for each in owed([TASK, soon, gone])] == [2, 1]


@pytest.mark.parametrize(
    ("partner", "severity", "due"),
    [
        ("Legal", "P2", datetime(2026, 11, 30, 10, 30, tzinfo=UTC)),
        ("Legal", "P0", datetime(2026, 11, 27, 19, 0, tzinfo=UTC)),
        ("Nobody's", "P2", datetime(2026, 11, 27, 19, 0, tzinfo=UTC)),
    ],
    ids=["office hours, over a weekend", "at P0 at all hours", "a team without a queue"],
)
def test_a_task_is_due_in_business_time_of_the_partner(
    partner: str, severity: str, due: datetime
) -> None:
    friday = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
    bundle = load_bundle(resource("policies/default"))
    found = due_within(bundle, partner, severity, timedelta(hours=3), friday)
    assert found == due
