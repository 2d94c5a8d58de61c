"""The escalation sweep in the store: each step once, in the history, and nothing decided by it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, text

from casework.answering import answer_gate
from casework.assignment import HoldReason
from casework.cases import Severity
from casework.errors import Denied
from casework.store.assignment import claim, hand_over, hold
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.escalation import take_due_steps
from casework.store.orphans import mend_orphans, orphans
from casework.store.tables import Case, Clock, Gate
from tests.factories.escalation import (
    HOUR,
    LEASE,
    MINUTE,
    actions,
    add_everybody,
    assignment_at,
    clocks_of,
    gate_of,
    outbox,
    person,
    timed_case,
    told,
)
from tests.factories.gates import BY, NOW, answer, evidence_of, waiting_case

DAY = timedelta(days=1)

#: What the ladder of queue general at P0 does to a gate that nobody touches.
CLIMB = [
    "gate.paged",
    "effect.queued",
    "gate.reminded",
    "effect.queued",
    "gate.reminded",
    "effect.queued",
    "gate.reassigned",
    "gate.locked",
]


@pytest.fixture
def gate(engine: Engine) -> str:
    """A gate at P0 in the general queue, and people."""
    add_everybody(engine)
    return timed_case(engine)


def swept(engine: Engine, at: datetime, **only: object) -> Counter[str]:
    with transaction(engine) as session:
        return take_due_steps(session, BY, at, **only)  # type: ignore[arg-type]


def test_a_gate_that_nobody_touches_climbs_its_ladder(engine: Engine, gate: str) -> None:
    for minute in range(0, 200, 5):
        swept(engine, NOW + minute * MINUTE)
    found = actions(engine, gate)
    assert [each for each in found if each != "clock.breached"] == CLIMB
    assert found.count("clock.breached") == 2
    after = gate_of(engine, gate)
    assert (after.queue, after.severity, after.status) == ("mixed", "P0", "open")
    assert assignment_at(engine, gate).locked_at == NOW + 2 * HOUR
    with reading(engine) as session:
        case = session.get_one(Case, after.case_id)
    assert (case.queue, case.status) == ("mixed", "waiting")


def test_only_a_step_that_changes_something_is_in_the_history(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine)
    with transaction(engine) as session:
        session.get_one(Gate, gate).severity = "P1"
    assert swept(engine, NOW + 90 * MINUTE)["raise"] == 1
    changed = [data for action, data in told(engine, gate) if action == "gate.raised"]
    assert [(each["from"], each["to"]) for each in changed] == [("P1", "P0")]
    urgent = timed_case(engine, "T-2")
    assert swept(engine, NOW + 90 * MINUTE)["raise"] == 0
    assert "gate.raised" not in actions(engine, urgent)
    assert "worse" in clocks_of(engine, urgent)["decision"].taken, "it is not looked at again"


def test_what_is_sent_carries_ids_and_is_due_to_its_step(engine: Engine, gate: str) -> None:
    swept(engine, NOW)
    [page] = outbox(engine)
    assert page.key == f"{gate}:decision:2026-03-02T09:30:00.000000Z:page"
    assert (page.kind, page.destination, page.status) == ("page", "on_call", "waiting")
    assert page.data == {
        "gate": gate,
        "clock": "decision",
        "step": "page",
        "due": "2026-03-02T09:30:00.000000Z",
        "due_at": "2026-03-02T10:30:00.000000Z",
        "queue": "general",
        "severity": "P0",
        "person": None,
        "action": "no_action",
        "evidence": evidence_of("T-1"),
    }
    [(_, data), _] = told(engine, gate)[1:]
    assert (data["step"], data["sent"]) == ("page", True)


def test_after_a_missed_hour_each_step_is_taken_once_and_the_same_thing_said_once(
    engine: Engine, gate: str
) -> None:
    swept(engine, NOW + 3 * HOUR)
    swept(engine, NOW + 3 * HOUR)
    steps = [data["step"] for action, data in told(engine, gate) if "step" in data]
    assert steps == ["page", "untouched", "half", "overdue", "locked"]
    sent = {data["step"]: data["sent"] for _, data in told(engine, gate) if "sent" in data}
    assert sent == {"page": True, "untouched": False, "half": True}
    assert len(outbox(engine)) == 2


def test_two_sweeps_at_once_take_each_step_once(engine: Engine, gate: str) -> None:
    more = [timed_case(engine, f"T-{number}") for number in range(2, 8)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: swept(engine, NOW + 3 * HOUR), range(4)))
    assert sum(each["lock"] for each in counts) == 1 + len(more)
    for each in (gate, *more):
        assert [found for found in actions(engine, each) if found == "gate.locked"] == [
            "gate.locked"
        ]
    assert len(outbox(engine)) == 2 * (1 + len(more))


def test_no_sweep_however_late_answers_at_a_gate(engine: Engine, gate: str) -> None:
    for days in (1, 30, 365):
        swept(engine, NOW + days * DAY)
    assert gate_of(engine, gate).status == "open"
    assert {"gate.answered", "gate.decided", "case.closed"}.isdisjoint(actions(engine, gate))


def test_a_locked_gate_takes_answers_from_a_lead_alone(engine: Engine, gate: str) -> None:
    swept(engine, NOW + 3 * HOUR)
    with pytest.raises(Denied) as refusal:
        answer_gate(engine, gate, "ben", answer(), now=NOW + 3 * HOUR)
    assert refusal.value.reason == "locked"


def test_a_gate_that_is_moved_is_under_the_guard_of_its_new_queue(
    engine: Engine, gate: str
) -> None:
    with transaction(engine) as session:
        claim(session, gate, DAY, person("ana"), NOW)
    swept(engine, NOW + HOUR)
    assert assignment_at(engine, gate).holder is None, "who had it there has it no longer"
    with pytest.raises(Denied) as refusal:
        answer_gate(engine, gate, "ana", answer(action="suspend"), now=NOW + HOUR)
    assert refusal.value.reason == "action"
    assert answer_gate(engine, gate, "cleo", answer(), now=NOW + HOUR).decided


def test_a_reminder_names_who_has_the_gate(engine: Engine, gate: str) -> None:
    with transaction(engine) as session:
        claim(session, gate, DAY, person("ana"), NOW)
    swept(engine, NOW + 30 * MINUTE)
    [reminder] = [each for each in outbox(engine) if each.kind == "notify"]
    assert reminder.data["person"] == "ana"
    assert "untouched" not in str(told(engine, gate)), "a gate that was touched is not untouched"


def test_a_clock_that_stands_still_climbs_nothing(engine: Engine, gate: str) -> None:
    swept(engine, NOW)
    with transaction(engine) as session:
        claim(session, gate, LEASE, person("ana"), NOW)
        hold(session, gate, HoldReason.REPORTER, NOW + DAY, LEASE, person("ana"), NOW)
    assert swept(engine, NOW + 20 * HOUR) == Counter()


def test_what_is_decided_climbs_no_further(engine: Engine, gate: str) -> None:
    answer_gate(engine, gate, "ana", answer(), now=NOW)
    assert swept(engine, NOW + DAY) == Counter()
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    assert swept(engine, NOW + DAY) == Counter()
    assert outbox(engine) == []


def test_a_miss_is_noted_once_where_there_is_no_ladder(engine: Engine) -> None:
    gate = timed_case(engine, severity="P3")
    assert swept(engine, NOW + 6 * HOUR)["breached"] == 1, "the first touch"
    assert swept(engine, NOW + 7 * HOUR)["breached"] == 1, "the decision"
    assert swept(engine, NOW + 9 * HOUR) == Counter()
    assert {clock.state for clock in clocks_of(engine, gate).values()} == {"breached"}
    assert actions(engine, gate) == ["clock.breached"] * 2


def test_a_sweep_may_be_kept_to_a_severity_or_to_some_gates(engine: Engine, gate: str) -> None:
    other = timed_case(engine, "T-2", severity="P3")
    assert swept(engine, NOW + DAY, severity=Severity.P3)["gates"] == 1
    assert swept(engine, NOW + DAY, gates=[other]) == Counter()
    assert swept(engine, NOW + DAY, gates=[gate, other])["gates"] == 1


def test_a_small_batch_leaves_the_rest_to_the_next_one(engine: Engine) -> None:
    for number in range(5):
        timed_case(engine, f"T-{number}")
    assert [swept(engine, NOW, limit=2)["page"] for _ in range(4)] == [2, 2, 1, 0]


def test_a_gate_at_a_partner_is_not_moved_to_where_fewer_people_would_do(
    engine: Engine, gate: str
) -> None:
    with transaction(engine) as session:
        claim(session, gate, LEASE, person("ana"), NOW)
        hand_over(session, gate, "legal", person("ana"), NOW)
    swept(engine, NOW + HOUR)
    clocks = clocks_of(engine, gate)
    assert gate_of(engine, gate).queue == "legal", "one person would do in the other queue"
    assert clocks["partner_answer"].ended_at is None
    assert swept(engine, NOW + HOUR + MINUTE)["breached"] >= 1


def test_an_open_gate_without_clocks_is_found_and_given_them_from_its_opening(
    engine: Engine, gate: str
) -> None:
    lost = waiting_case(engine, "T-2", opened_at=NOW - DAY)
    with reading(engine) as session:
        assert [each.id for each in orphans(session)] == [lost]
    with transaction(engine) as session:
        assert mend_orphans(session, BY, NOW) == [lost]
        assert mend_orphans(session, BY, NOW) == []
    assert clocks_of(engine, lost)["decision"].started_at == NOW - DAY
    assert actions(engine, lost) == ["clock.mended"]
    with transaction(engine) as session:
        session.execute(delete(Clock))
        assert len(mend_orphans(session, BY, NOW)) == 2


def test_what_the_sweep_looks_for_is_found_by_its_index(engine: Engine) -> None:
    query = "SELECT gate_id FROM clocks WHERE next_at <= '2026-03-02' ORDER BY next_at LIMIT 500"
    if engine.dialect.name == "sqlite":
        with reading(engine) as session:
            plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
        assert "clocks_next" in str(plan)
    else:
        with reading(engine) as session:
            session.execute(text("SET enable_seqscan = off"))
            plan = session.execute(text(f"EXPLAIN {query}")).all()
        assert "clocks_next" in str(plan)
