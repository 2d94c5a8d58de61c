"""An overdue partner task is told once, by ids, and a settled one never."""

from datetime import timedelta

from sqlalchemy import Engine

from casework.store.engine import transaction
from casework.store.incidents.overdue import tell_overdue
from casework.store.incidents.work import ask_partner, settle_task
from tests.factories.escalation import outbox
from tests.factories.gates import BY, NOW
from tests.factories.incidents import add_team, commanded, done

HOUR = timedelta(hours=1)


def asked(engine: Engine, hours: int) -> str:
    """An incident that Legal owes something by a time."""
    add_team(engine)
    incident, due = commanded(engine), NOW + hours * HOUR
    done(
        engine,
        incident,
        "mia",
        lambda s, by, at: ask_partner(s, incident, "Legal", "geheim", due, by, at),
    )
    return incident


def told(engine: Engine, hours: int) -> int:
    with transaction(engine) as session:
        return tell_overdue(session, "team_chat", BY, NOW + hours * HOUR)


def test_it_is_told_once_and_not_before_its_time_is_over(engine: Engine) -> None:
    incident = asked(engine, 2)
    assert [told(engine, hours) for hours in (1, 2, 3, 4)] == [0, 0, 1, 0]
    [notice] = outbox(engine)
    assert (notice.kind, notice.destination, notice.case_id) == ("notify", "team_chat", None)
    assert notice.data == {
        "incident": incident,
        "task": 1,
        "partner": "Legal",
        "due": "2026-03-02T11:30:00.000000Z",
    }


def test_what_has_come_is_not_told(engine: Engine) -> None:
    incident = asked(engine, 2)
    done(
        engine,
        incident,
        "mia",
        lambda s, by, at: settle_task(s, incident, 1, done=True, by=by, now=at),
    )
    assert told(engine, 3) == 0
