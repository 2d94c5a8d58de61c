"""Queues as lists and boards show them, and the next case among people who ask at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from casework.errors import Conflict, NotFound
from casework.gates import ActorKind
from casework.ledger.entries import Action
from casework.store.assignment import renew
from casework.store.desk import board
from casework.store.engine import reading, transaction
from casework.store.ledger import search_entries
from casework.store.next_gates import claim_next, next_gate
from casework.store.people import answering
from casework.store.worklist import page_of_queue
from tests.factories.escalation import LEASE, add_everybody, person, timed_case
from tests.factories.gates import NOW, waiting_case

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def staff(engine: Engine) -> None:
    """People."""
    add_everybody(engine)


def some_gates(engine: Engine) -> list[str]:
    """Gates in the order in which they come up: severity, due date, none due, age."""
    return [
        timed_case(engine, "worst", severity="P0"),
        timed_case(engine, "due", severity="P2", opened_at=NOW - 3 * HOUR),
        timed_case(engine, "later", severity="P2", opened_at=NOW - HOUR),
        waiting_case(engine, "undue", severity="P2", opened_at=NOW - 9 * HOUR),
        waiting_case(engine, "young", severity="P2", opened_at=NOW - 2 * HOUR),
    ]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_of_a_queue_follow_one_another_in_the_order_of_urgency(
    engine: Engine, size: int
) -> None:
    expected, seen = some_gates(engine), list[str]()
    with reading(engine) as session:
        while page := page_of_queue(session, "general", NOW, size, seen[-1] if seen else ""):
            seen += [each.gate.id for each in page]
    assert seen == expected


def test_a_list_begins_with_the_next_gate(engine: Engine) -> None:
    some_gates(engine)
    with reading(engine) as session:
        ana = answering(session, "ana", ActorKind.PERSON)
        assert ana is not None
        first = page_of_queue(session, "general", NOW, 1)[0].gate
        assert next_gate(session, ana, NOW) == first


def test_a_page_after_a_gate_that_is_not_there_is_none(engine: Engine) -> None:
    with reading(engine) as session, pytest.raises(NotFound):
        page_of_queue(session, "general", NOW, 1, "g0")


def test_a_board_counts_what_waits_is_overdue_and_soon_due(engine: Engine) -> None:
    some_gates(engine)
    timed_case(engine, "late", severity="P2", opened_at=NOW - 6 * HOUR)
    timed_case(engine, "other", queue="mixed", severity="P3")
    with reading(engine) as session:
        general, mixed = board(session, ["legal", "general", "mixed"], NOW)
    assert (general.queue, general.severities) == ("general", {"P0": 1, "P2": 5})
    assert (general.breached, general.soon, general.on_hold) == (1, 2, 0)
    assert general.oldest == NOW - 9 * HOUR
    assert (mixed.queue, mixed.total, mixed.breached) == ("mixed", 1, 0)


def test_people_who_ask_at_once_get_a_gate_each(engine: Engine) -> None:
    for number in range(4):
        timed_case(engine, f"T-{number}", severity="P2")

    def ask(who: str) -> str | None:
        with transaction(engine) as session:
            asking = answering(session, who, ActorKind.PERSON)
            assert asking is not None
            gate = claim_next(session, asking, LEASE, person(who), NOW)
            return gate and gate.id

    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(ask, ["ana", "ben", "lou"]))
    assert None not in got
    assert len(set(got)) == 3


def test_renewing_takes_nothing_that_one_does_not_have(engine: Engine) -> None:
    gate = timed_case(engine, severity="P2")
    with transaction(engine) as session, pytest.raises(Conflict, match="any more"):
        renew(session, gate, LEASE, person("ana"), NOW)


def test_entries_are_searched_from_the_newest_backwards(engine: Engine) -> None:
    some_gates(engine)
    with reading(engine) as session:
        found = search_entries(session, action=Action.GATE_OPENED, since=NOW, limit=3)
        more = search_entries(session, action=Action.GATE_OPENED, before=found[-1].id)
        none = search_entries(session, action=Action.GATE_OPENED, until=NOW)
    ids = [entry.id or 0 for entry in [*found, *more]]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)
    assert none == []
