"""A decision found wrong: what it did outside stands until people at a gate have it undone."""

from datetime import timedelta

from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.qa.reviews import Outcome
from casework.store.carrying import carry_out
from casework.store.engine import transaction
from casework.store.qa.reopening import reopen
from casework.store.tables import Gate, QaItem
from tests.factories.effects import leaving_bundle
from tests.factories.escalation import actions, clocks_of, gate_of, outbox, person
from tests.factories.gates import BY, NOW, add_people, answer, evidence_of, waiting_case

LATER = NOW + timedelta(days=1)
NOTHING = Outcome(None, None)


def suspended(engine: Engine) -> Gate:
    """A gate at which somebody was suspended for seven days; the case is closed."""
    add_people(engine)
    gate = waiting_case(engine, bundle=leaving_bundle())
    answer_gate(engine, gate, "ana", answer(action="suspend"), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    return gate_of(engine, gate)


def reopened(engine: Engine, first: Gate) -> str:
    """The gate that a second look opens, which found that nothing should have been done."""
    item = QaItem(
        id="q1",
        case_id=first.case_id,
        revision=1,
        origin="general",
        severity="P2",
        evidence_digest=evidence_of("T-1"),
        policy_digest=first.policy_digest,
    )
    with transaction(engine) as session:
        gate = reopen(session, item, Outcome("suspend", None), NOTHING, person("sam"), LATER)
    assert gate is not None
    return gate


def test_its_gate_has_clocks_from_the_moment_it_opens(engine: Engine) -> None:
    gate = reopened(engine, suspended(engine))
    clocks = clocks_of(engine, gate)
    assert {kind: clock.started_at for kind, clock in clocks.items()} == {
        "first_touch": LATER,
        "decision": LATER,
    }


def test_what_was_done_is_undone_by_the_outbox_once_somebody_has_approved_it(
    engine: Engine,
) -> None:
    first = suspended(engine)
    gate = reopened(engine, first)
    act, end = outbox(engine)
    assert (end.key, end.after) == (f"reverse:{first.id}:platform", act.key)
    assert end.not_before == NOW + timedelta(days=7), "it stands, and would end by itself"
    assert gate_of(engine, gate).proposed_action == "unsuspend"
    answer_gate(engine, gate, "ben", answer(action="unsuspend"), now=LATER)
    with transaction(engine) as session:
        carry_out(session, gate, BY, LATER)
    act, end = outbox(engine)
    assert (end.status, end.not_before, end.due_at) == ("waiting", None, LATER)
    assert actions(engine, gate)[-3:] == ["gate.carried_out", "effect.advanced", "case.closed"]


def test_a_gate_that_refuses_leaves_what_was_done_as_it_is(engine: Engine) -> None:
    gate = reopened(engine, suspended(engine))
    before = [(each.key, each.due_at) for each in outbox(engine)]
    answer_gate(engine, gate, "ben", answer(verdict="refuse", action=None), now=LATER)
    with transaction(engine) as session:
        carry_out(session, gate, BY, LATER)
    assert [(each.key, each.due_at) for each in outbox(engine)] == before
