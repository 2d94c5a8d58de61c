"""A decision found wrong: what it did outside stands until people at a gate have it undone."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.effects import Receipt
from casework.gates import ActorKind
from casework.policy.bundle import bundle_from_files
from casework.qa.reviews import Outcome
from casework.qa_answering import answer_qa_gate
from casework.store.carrying import carry_out
from casework.store.engine import transaction
from casework.store.gates import gates_without_run
from casework.store.people import answering
from casework.store.qa.gates import waiting_qa_gates
from casework.store.qa.reopening import reopen
from casework.store.sending import claim, note_sent
from casework.store.tables import Gate, QaItem
from tests.factories.effects import LEAVING, leaving_bundle, take
from tests.factories.escalation import actions, clocks_of, gate_of, outbox, person, told
from tests.factories.gates import BY, NOW, add_people, answer, evidence_of, waiting_case
from tests.factories.qa import PLANS, answer_at, decided, drawn, qa_payload, staffed

LATER = NOW + timedelta(days=1)
NOTHING = Outcome(None, None)


def suspended(engine: Engine, action: str = "suspend", *people: str) -> Gate:
    """A gate at which somebody was suspended for seven days, or this was done; it is closed."""
    add_people(engine)
    gate = waiting_case(engine, bundle=leaving_bundle())
    for name in people or ("ana",):
        answer_gate(engine, gate, name, answer(action=action), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    return gate_of(engine, gate)


def reopened(engine: Engine, first: Gate, action: str = "suspend") -> str:
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
        gate = reopen(session, item, Outcome(action, None), NOTHING, person("sam"), LATER)
    assert gate is not None
    return gate


def send(engine: Engine, now: datetime) -> list[str]:
    """Send what is due to the platform, one after another; the keys in that order."""
    sent = []
    while found := take(engine, 1, destination="platform", now=now):
        with transaction(engine) as session:
            note_sent(session, found[0], Receipt(), BY, now)
        sent.append(found[0].effect.key)
    return sent


def corrected(engine: Engine, gate: str, action: str) -> None:
    """Decide the re-opened gate so, as people do, and carry it out."""
    answer_gate(engine, gate, "ben", answer(action=action), now=LATER)
    with transaction(engine) as session:
        carry_out(session, gate, BY, LATER)


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
    send(engine, NOW)
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


def test_a_correction_to_another_action_undoes_the_first_and_then_does_its_own(
    engine: Engine,
) -> None:
    first = suspended(engine)
    assert send(engine, NOW) == [f"act:{first.id}:platform"]
    gate = reopened(engine, first)
    assert gate_of(engine, gate).reason.endswith("; suspend is then undone")
    answer_gate(engine, gate, "ben", answer(action="ban"), now=LATER)
    answer_gate(engine, gate, "ana", answer(action="ban"), now=LATER)
    with transaction(engine) as session:
        carry_out(session, gate, BY, LATER)
    assert send(engine, LATER) == [f"reverse:{first.id}:platform", f"act:{gate}:platform"]
    [replaced] = [data for action, data in told(engine, gate) if action == "action.replaced"]
    assert replaced == {"gate": gate, "action": "ban", "undone": ["suspend"], "stays": []}
    assert send(engine, NOW + timedelta(days=30)) == [], "its end is not sent a second time"


def test_a_correction_before_anything_has_left_sends_nothing_of_the_first(engine: Engine) -> None:
    first = suspended(engine)
    gate = reopened(engine, first)
    corrected(engine, gate, "no_action")
    assert {each.key: each.status for each in outbox(engine)} == {
        f"act:{first.id}:platform": "cancelled",
        f"reverse:{first.id}:platform": "cancelled",
    }
    assert actions(engine, gate)[-4:] == [
        "effect.cancelled",
        "effect.cancelled",
        "action.replaced",
        "case.closed",
    ]
    assert send(engine, NOW + timedelta(days=30)) == []


def test_a_correction_says_what_nothing_can_undo(engine: Engine) -> None:
    first = suspended(engine, "warn")
    with transaction(engine) as session:
        for each in claim(session, "desk", 9, "sender", NOW):
            note_sent(session, each, Receipt(), BY, NOW)
    gate = reopened(engine, first, "warn")
    assert gate_of(engine, gate).reason.endswith("; warn cannot be undone")
    corrected(engine, gate, "suspend")
    [replaced] = [data for action, data in told(engine, gate) if action == "action.replaced"]
    assert (replaced["undone"], replaced["stays"]) == ([], ["warn"])


def test_what_takes_two_to_undo_is_not_undone_in_passing_by_one(engine: Engine) -> None:
    first = suspended(engine, "ban", "ana", "ben")
    gate = reopened(engine, first, "ban")
    assert answer_gate(engine, gate, "ana", answer(action="no_action"), now=LATER).missing == 1
    assert answer_gate(engine, gate, "ben", answer(action="no_action"), now=LATER).decided


def test_an_error_found_by_a_second_look_is_put_right_outside(engine: Engine) -> None:
    bundle = bundle_from_files({**LEAVING, "qa.yaml": PLANS})
    staffed(engine)
    [case] = decided(engine, people=["ana"], bundle=bundle)
    [act] = send(engine, NOW)
    drawn(engine, "all", bundle)
    look_again(engine, "mia")
    look_again(engine, "sam", error="false_positive")
    with transaction(engine) as session:
        [gate] = [each.id for each in gates_without_run(session) if each.status == "open"]
    answer_at(engine, gate, "ben", "warn")
    assert send(engine, LATER) == [act.replace("act:", "reverse:")]
    assert actions(engine, gate).count("action.replaced") == 1
    assert gate_of(engine, gate).case_id == case


def look_again(engine: Engine, name: str, **fields: str) -> None:
    """Say, at the one gate of a second look that waits for somebody, that a warning was right."""
    with transaction(engine) as session:
        who = answering(session, name, ActorKind.PERSON)
        assert who is not None
        [gate] = waiting_qa_gates(session, who)
        evidence = session.get_one(QaItem, gate.item_id).evidence_digest
    payload = qa_payload(evidence, action="warn", **fields)
    answer_qa_gate(engine, gate.id, name, payload, now=LATER)


def test_a_gate_that_refuses_leaves_what_was_done_as_it_is(engine: Engine) -> None:
    gate = reopened(engine, suspended(engine))
    before = [(each.key, each.due_at) for each in outbox(engine)]
    answer_gate(engine, gate, "ben", answer(verdict="refuse", action=None), now=LATER)
    with transaction(engine) as session:
        carry_out(session, gate, BY, LATER)
    assert [(each.key, each.due_at) for each in outbox(engine)] == before
