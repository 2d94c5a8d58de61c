"""Clocks in the store: they open with gates, stop, run on, and end with what happened."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from casework.answering import answer_gate
from casework.clocks.model import StopReason
from casework.policy.evaluate import decide, frame
from casework.store.carrying import carry_out
from casework.store.clocks import restart_clocks, stop_clocks
from casework.store.decisions import record_outcomes
from casework.store.engine import reading, transaction
from casework.store.facts import rows_for_policy
from casework.store.policy import adopt_bundle
from casework.store.tables import Case, Clock, Gate
from tests.factories.enriched import enriched_case
from tests.factories.escalation import (
    HOUR,
    MINUTE,
    add_everybody,
    clocks_of,
    gate_of,
    timed_bundle,
    timed_case,
    told,
)
from tests.factories.gates import BY, NOW, answer
from tests.factories.intake import row, rows_file, taken_in

TICK = HOUR / 3600 / 1_000_000


def states(engine: Engine, gate: str) -> dict[str, str]:
    return {kind: clock.state for kind, clock in clocks_of(engine, gate).items()}


def decided(engine: Engine, *signals: dict[str, bool]) -> list[Gate]:
    """Put cases to the policy; the gates that open."""
    bundle = timed_bundle()
    cases = [
        enriched_case(engine, f"T-{number}", {"patterns": {"spam": each["spam"]}, "source": each})
        for number, each in enumerate(signals)
    ]
    with transaction(engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
        facts = rows_for_policy(session, cases)
        outcomes = decide(bundle, frame(bundle, [each.row for each in facts]))
        record_outcomes(session, bundle, facts, outcomes, BY, NOW)
        return list(session.scalars(select(Gate).order_by(col(Gate.severity))))


def test_gates_open_with_their_clocks_and_closed_cases_have_none(engine: Engine) -> None:
    threat, plain, spam = (
        {"threat": True, "spam": False},
        {"threat": False, "spam": False},
        {"threat": False, "spam": True},
    )
    first, second = decided(engine, threat, plain, spam)
    assert (first.queue, first.severity, second.queue, second.severity) == (
        "legal",
        "P0",
        "general",
        "P3",
    )
    assert {kind: clock.due_at for kind, clock in clocks_of(engine, first.id).items()} == {
        "first_touch": NOW + 15 * MINUTE,
        "decision": NOW + HOUR,
        "partner_answer": NOW + HOUR,
    }
    assert {kind: clock.due_at for kind, clock in clocks_of(engine, second.id).items()} == {
        "first_touch": NOW + 2 * HOUR,
        "decision": NOW + 6 * HOUR,
    }
    with reading(engine) as session:
        gates = set(session.scalars(select(col(Clock.gate_id))))
    assert gates == {first.id, second.id}


def test_a_clock_is_looked_at_for_its_first_step_or_else_when_it_is_missed(engine: Engine) -> None:
    watched = clocks_of(engine, timed_case(engine, "T-1"))
    assert watched["decision"].next_at == NOW
    assert watched["first_touch"].next_at == NOW + 15 * MINUTE
    plain = clocks_of(engine, timed_case(engine, "T-2", severity="P2"))
    assert plain["decision"].next_at == NOW + 4 * HOUR + TICK


def test_a_stop_puts_a_clock_off_until_it_is_restarted(engine: Engine) -> None:
    gate = timed_case(engine, severity="P2")
    with transaction(engine) as session:
        stop_clocks(session, gate, StopReason.REPORTER, NOW + HOUR)
    stopped = clocks_of(engine, gate)["decision"]
    assert (stopped.state, stopped.due_at, stopped.next_at) == ("stopped", None, None)
    with transaction(engine) as session:
        restart_clocks(session, gate, NOW + 10 * HOUR)
    running = clocks_of(engine, gate)["decision"]
    assert (running.state, running.due_at) == ("running", NOW + 13 * HOUR)
    assert running.next_at == NOW + 13 * HOUR + TICK


@pytest.mark.parametrize(
    ("when", "first", "last", "late"),
    [
        (NOW + 15 * MINUTE, "met", "met", []),
        (NOW + 30 * MINUTE, "breached", "met", ["first_touch"]),
        (NOW + HOUR + TICK, "breached", "breached", ["decision", "first_touch"]),
    ],
)
def test_a_decision_ends_the_clocks_and_tells_what_it_was_too_late_for(
    engine: Engine, when: datetime, first: str, last: str, late: list[str]
) -> None:
    add_everybody(engine)
    gate = timed_case(engine)
    answer_gate(engine, gate, "ana", answer(), now=when)
    assert states(engine, gate) == {"first_touch": first, "decision": last}
    assert all(each.next_at is None for each in clocks_of(engine, gate).values())
    [data] = [data for action, data in told(engine, gate) if action == "gate.decided"]
    assert sorted(data["late"]) == late


def test_the_first_of_two_answers_touches_and_the_second_ends(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine, queue="legal")
    answer_gate(engine, gate, "lea", answer(action="ban"), now=NOW + MINUTE)
    assert states(engine, gate) == {
        "first_touch": "met",
        "decision": "running",
        "partner_answer": "running",
    }
    answer_gate(engine, gate, "leo", answer(action="ban"), now=NOW + 2 * MINUTE)
    assert set(states(engine, gate).values()) == {"met"}


def test_a_case_that_is_escalated_has_the_clocks_of_the_next_gate(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine)
    handing = answer(verdict="escalate", action=None, escalate_to="legal")
    answer_gate(engine, gate, "ana", handing, now=NOW + MINUTE)
    with transaction(engine) as session:
        following = carry_out(session, gate, BY, NOW + 2 * MINUTE).following
    assert following is not None
    assert clocks_of(engine, following)["partner_answer"].due_at == NOW + HOUR + 2 * MINUTE


def test_newer_content_ends_the_clocks_of_the_gate_it_supersedes(
    engine: Engine, tmp_path: Path
) -> None:
    gate = timed_case(engine)
    file = rows_file(tmp_path / "a.jsonl", row("T-1", body="other words"))
    taken_in(engine, file, source="test")
    assert gate_of(engine, gate).status == "superseded"
    assert set(states(engine, gate).values()) == {"cancelled"}
    with reading(engine) as session:
        assert session.scalars(select(col(Case.status))).one() == "opened"
        assert set(session.scalars(select(col(Clock.next_at)))) == {None}
