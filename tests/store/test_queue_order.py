"""The order of queues is kept on the gates: it is what the clocks say, whatever has happened."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select, text
from sqlmodel import Session, col

from casework.answering import answer_gate
from casework.assignment import HoldReason
from casework.clocks.model import ClockKind, due_at
from casework.errors import Conflict, Denied
from casework.gates import ActorKind, Person, barred
from casework.store import next_gates
from casework.store.assignment import claim, hand_over, hold, release, resume, run_out
from casework.store.carrying import carry_out
from casework.store.clocks import clock_of, promise_of
from casework.store.desk import COUNTED, board
from casework.store.engine import is_sqlite, reading, transaction
from casework.store.escalation import take_due_steps
from casework.store.gates import situation
from casework.store.next_gates import next_gate
from casework.store.orphans import mend_orphans
from casework.store.people import answering
from casework.store.policy import stored_bundle
from casework.store.tables import Assignment, Case, Clock, Gate
from casework.store.types import NEVER
from casework.store.worklist import page_of_queue
from tests.factories.escalation import HOUR, LEASE, add_everybody, person, timed_case
from tests.factories.gates import BY, NOW, answer, waiting_case

NAMES = count()


def take(session: Session, gate: str, now: datetime) -> None:
    claim(session, gate, LEASE, person("lou"), now, take_over=True)


def wait(session: Session, gate: str, now: datetime) -> None:
    """Take a gate and put it on hold for somebody outside: its clocks stand still."""
    take(session, gate, now)
    hold(session, gate, HoldReason.REPORTER, now + 3 * HOUR, LEASE, person("lou"), now)


def work(session: Session, gate: str, now: datetime) -> None:
    """Take a gate and put it on hold for work of our own: its clocks run on."""
    take(session, gate, now)
    hold(session, gate, HoldReason.INVESTIGATION, now + HOUR, LEASE, person("lou"), now)


def sweep(session: Session, gate: str, now: datetime) -> None:
    run_out(session, BY, now)
    take_due_steps(session, BY, now)


def lose(session: Session, gate: str, now: datetime) -> None:
    """Lose the clocks of a gate, and have those that are missing mended."""
    session.execute(delete(Clock).where(col(Clock.gate_id) == gate))
    mend_orphans(session, BY, now)


#: What happens at a gate, at some time.
STEPS: dict[str, Callable[[Session, str, datetime], object]] = {
    "wait": wait,
    "resume": lambda s, gate, now: resume(s, gate, person("lou"), now),
    "release": lambda s, gate, now: release(s, gate, person("lou"), now),
    "take": take,
    "work": work,
    "away": lambda s, gate, now: hand_over(s, gate, "legal", person("lou"), now),
    "back": lambda s, gate, now: hand_over(s, gate, "general", person("lea"), now),
    "sweep": sweep,
    "lose": lose,
}
MOVES = st.tuples(st.sampled_from([*STEPS, "escalate"]), st.integers(0, 2), st.integers(0, 300))


@pytest.fixture(autouse=True)
def staff(engine: Engine) -> None:
    """People."""
    add_everybody(engine)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(moves=[("wait", 0, 10), ("wait", 1, 10), ("resume", 1, 60), ("lose", 2, 5)])
@given(moves=st.lists(MOVES, min_size=3, max_size=9))
def test_after_whatever_happens_gates_stand_where_their_clocks_put_them(
    engine: Engine, moves: list[tuple[str, int, int]]
) -> None:
    names = [f"T-{next(NAMES)}" for _ in range(3)]
    gates = [timed_case(engine, name, severity=f"P{n}") for n, name in enumerate(names)]
    now = NOW
    for verb, which, minutes in moves:
        now += timedelta(minutes=minutes)
        try:
            if verb == "escalate":
                fields = answer(names[which], "escalate", None, escalate_to="legal")
                answer_gate(engine, gates[which], "lou", fields, now=now)
            with transaction(engine) as session:
                if verb == "escalate":
                    carry_out(session, gates[which], BY, now)
                else:
                    STEPS[verb](session, gates[which], now)
        except (Denied, Conflict):
            continue
    with reading(engine) as session:
        check_ranks(session)
        for who in ("ana", "ben", "cleo", "lea", "lou"):
            asking = answering(session, who, ActorKind.PERSON)
            assert asking is not None
            assert next_gate(session, asking, now) == looked_for(session, asking, now)


def check_ranks(session: Session) -> None:
    """Work out anew when each open gate is due, from the start and the stops of its clock."""
    for gate in open_gates(session):
        row = session.get(Clock, (gate.id, ClockKind.DECISION.value))
        due = due_at(clock_of(row, promise_of(session, row))) if row else None
        assert gate.ranks_at == (due or NEVER)


def open_gates(session: Session) -> list[Gate]:
    return list(session.scalars(select(Gate).where(col(Gate.status) == "open")))


def looked_for(session: Session, asking: Person, now: datetime) -> Gate | None:
    """The next gate, found by looking at every one of them."""
    order = sorted(open_gates(session), key=lambda g: (g.severity, g.ranks_at, g.opened_at, g.id))
    for gate in order:
        kept = session.get(Assignment, gate.id)
        if kept and kept.follow_up_at:
            continue
        seen = situation(session, session.get_one(Case, gate.case_id), gate, now)
        terms = stored_bundle(session, gate.policy_digest).terms(gate.queue, None)
        its = "*" in asking.queues or gate.queue in asking.queues
        free = seen.holder in (None, asking.id)
        if its and free and barred(seen, asking, terms) is None:
            return gate
    return None


def test_the_next_case_is_found_behind_many_that_are_anothers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_gates, "_PAGE", 2)
    gates = [timed_case(engine, f"T-{n}", severity="P2") for n in range(7)]
    with transaction(engine) as session:
        for gate in session.scalars(select(Gate).where(col(Gate.id).in_(gates[:-1]))):
            gate.requested_by = "ana"
        ana = answering(session, "ana", ActorKind.PERSON)
        assert ana is not None
        session.flush()
        found = next_gate(session, ana, NOW)
    assert found is not None
    assert found.id == gates[-1]


def test_a_board_counts_no_further_than_it_says(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.store.desk.COUNTED", 3)
    for number in range(6):
        waiting_case(engine, f"T-{number}")
    with reading(engine) as session:
        [general] = board(session, ["general"], NOW)
    assert general.total == 4
    assert COUNTED > 3


def test_queues_are_read_in_the_order_of_their_index(engine: Engine) -> None:
    waiting_case(engine)
    with reading(engine) as session:
        told = plan(session, lambda: page_of_queue(session, "general", NOW, 2))
        assert "gates_urgency" in told
        assert "TEMP B-TREE" not in told
        assert "Sort" not in told


def plan(session: Session, ask: Callable[[], object]) -> str:
    """How the database would answer the first statement of a query, were there many rows."""
    asked: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, sql: str, given: Any, *rest: object) -> None:
        asked.extend([] if sql.startswith("BEGIN") else [(sql, given)])

    if not is_sqlite(session):
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_bitmapscan = off"))
    event.listen(session.get_bind(), "before_cursor_execute", note)
    ask()
    event.remove(session.get_bind(), "before_cursor_execute", note)
    sql, given = asked[0]
    verb = "EXPLAIN QUERY PLAN " if is_sqlite(session) else "EXPLAIN "
    return "\n".join(str(row) for row in session.connection().exec_driver_sql(verb + sql, given))
