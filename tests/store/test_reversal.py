"""Undoing what was done: once, under the guard, by as many people as the inverse needs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate, reverse_action
from casework.effects import Receipt
from casework.errors import CaseworkError, Conflict, Denied, InputError, NotFound
from casework.policy.bundle import bundle_from_files
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.gates import answers_at, gate_by_id, gates_without_run
from casework.store.ledger import entries_of
from casework.store.outbox import list_effects
from casework.store.people import change_person
from casework.store.restrictions import restrict
from casework.store.reversal import Reversal
from casework.store.sending import note_sent
from casework.store.tables import Case
from casework.store.vendors import add_vendor, give_queues
from tests.factories.effects import LEAVING, leaving_bundle, take
from tests.factories.escalation import clocks_of
from tests.factories.gates import BY, NOW, add_people, answer, waiting_case

DAY, END = timedelta(days=1), NOW + timedelta(days=7)
BUNDLE = bundle_from_files(
    {
        **LEAVING,
        "queues.yaml": LEAVING["queues.yaml"].replace(
            "actions: [no_action, ban]\n", "actions: [no_action, ban, lift_ban, reopen]\n"
        ),
        "actions.yaml": LEAVING["actions.yaml"].replace(
            "no_action: {title: Do nothing, approvals: 1, reversible: false}",
            "no_action: {title: Do nothing, approvals: 1, reversible: true, inverse: reopen}\n"
            "reopen: {title: Reopen, approvals: 1, reversible: true, inverse: no_action,"
            " reopens: true}",
        ),
    }
)


def decided(engine: Engine, action: str = "suspend", *people: str) -> str:
    """A case about which this was done; its gate."""
    add_people(engine)
    gate = waiting_case(engine, bundle=BUNDLE)
    for person in people or ("ana",):
        answer_gate(engine, gate, person, answer(action=action), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    for destination in ("platform", "desk"):
        send(engine, destination, NOW)
    return gate


def send(engine: Engine, destination: str, now: datetime) -> None:
    """Send what is due."""
    for claimed in take(engine, destination=destination, now=now):
        with transaction(engine) as session:
            note_sent(session, claimed, Receipt(), BY, now)


def undo(engine: Engine, person: str = "ben", **more: str | None) -> Reversal:
    wanted = more.get("action")
    return reverse_action(
        engine, "test:T-1", person, "it was a mistake", now=NOW + DAY, action=wanted
    )


def case_of(engine: Engine, gate: str) -> Case:
    with reading(engine) as session:
        return session.get_one(Case, gate_by_id(session, gate).case_id)


def history(engine: Engine, gate: str) -> list[str]:
    with reading(engine) as session:
        return [each.action for each in entries_of(session, case_of(engine, gate).id)]


def test_what_one_person_may_undo_is_undone_at_once(engine: Engine) -> None:
    gate = decided(engine)
    done = undo(engine)
    assert (done.reverses, done.action, done.missing) == ("suspend", "unsuspend", 0)
    case = case_of(engine, gate)
    assert (case.status, case.action) == ("closed", "unsuspend")
    with reading(engine) as session:
        [kept] = answers_at(session, done.gate_id)
    assert (kept.actor, kept.verdict, kept.rationale) == ("ben", "approve", "it was a mistake")
    assert history(engine, gate)[-7:] == [
        "reversal.asked",
        "gate.opened",
        "gate.answered",
        "gate.decided",
        "gate.carried_out",
        "effect.advanced",
        "case.closed",
    ]


def test_the_end_that_was_to_come_by_itself_comes_now_and_once(engine: Engine) -> None:
    gate = decided(engine)
    undo(engine)
    for now in (NOW + DAY, NOW + DAY, END + DAY):
        send(engine, "platform", now)
    with reading(engine) as session:
        sent = [(row.key, row.settled_at) for row in list_effects(session)]
    assert sorted(sent) == [
        (f"act:{gate}:platform", NOW),
        (f"reverse:{gate}:platform", NOW + DAY),
    ]


def test_what_is_undone_is_not_undone_again(engine: Engine) -> None:
    gate = decided(engine)
    undo(engine)
    with pytest.raises(Conflict, match="nothing stands"):
        undo(engine)
    assert history(engine, gate).count("reversal.asked") == 1


def test_an_undoing_is_itself_undone_where_it_is_named(engine: Engine) -> None:
    decided(engine)
    undo(engine)
    send(engine, "platform", NOW + DAY)
    again = undo(engine, "ana", action="unsuspend")
    assert (again.reverses, again.action) == ("unsuspend", "suspend")
    assert f"act:{again.gate_id}:platform" in effects(engine)
    assert f"reverse:{again.gate_id}:platform" in effects(engine)
    assert undo(engine).reverses == "suspend"


def test_of_two_who_undo_it_at_once_one_does(engine: Engine) -> None:
    gate = decided(engine)

    def attempt(person: str) -> Reversal | CaseworkError:
        try:
            return undo(engine, person)
        except CaseworkError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(attempt, ["ana", "ben"]))
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Reversal"]
    assert history(engine, gate).count("effect.advanced") == 1


def test_what_has_ended_by_itself_is_not_undone(engine: Engine) -> None:
    decided(engine)
    send(engine, "platform", END)
    with pytest.raises(Conflict, match="nothing stands"):
        undo(engine)


def test_what_needs_two_people_is_decided_by_two_others_at_a_gate(engine: Engine) -> None:
    first = decided(engine, "ban", "ana", "ben")
    asked = undo(engine, "ana")
    assert (asked.action, asked.missing) == ("lift_ban", 2)
    with reading(engine) as session:
        gate = gate_by_id(session, asked.gate_id)
        assert [each.id for each in gates_without_run(session)] == [asked.gate_id]
    assert (gate.status, gate.queue, gate.requested_by) == ("open", "mixed", "ana")
    assert set(clocks_of(engine, gate.id)) == {"first_touch", "decision"}
    assert case_of(engine, first).status == "waiting"
    with pytest.raises(Denied) as refusal:
        answer_gate(engine, gate.id, "ana", answer(action="lift_ban"), now=NOW)
    assert refusal.value.reason == "requester"
    assert not any("reverse" in row for row in effects(engine))
    assert answer_gate(engine, gate.id, "ben", answer(action="lift_ban"), now=NOW).missing == 1
    assert answer_gate(engine, gate.id, "cleo", answer(action="lift_ban"), now=NOW).decided
    with transaction(engine) as session:
        carry_out(session, gate.id, BY, NOW)
    assert f"reverse:{first}:platform" in effects(engine)


def effects(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [row.key for row in list_effects(session)]


def test_where_the_others_refuse_what_was_done_stands(engine: Engine) -> None:
    first = decided(engine, "ban", "ana", "ben")
    asked = undo(engine, "ana")
    refused = answer(action=None, verdict="refuse")
    answer_gate(engine, asked.gate_id, "ben", refused, now=NOW)
    with transaction(engine) as session:
        carry_out(session, asked.gate_id, BY, NOW)
    case = case_of(engine, first)
    assert (case.status, case.action) == ("closed", "ban")
    assert undo(engine, "ben").reverses == "ban"


def test_a_case_closed_without_action_is_reopened_before_somebody_else(engine: Engine) -> None:
    first = decided(engine, "no_action")
    done = undo(engine)
    case = case_of(engine, first)
    assert (done.action, case.status, case.queue) == ("reopen", "waiting", "mixed")
    with reading(engine) as session:
        [gate] = [each for each in gates_without_run(session) if each.status == "open"]
    assert (gate.requested_by, gate.proposed_action) == ("ben", "no_action")


@pytest.mark.parametrize(
    ("person", "reason"),
    [("nobody", "unknown_person"), ("aud", "role"), ("lea", "role"), ("cleo", "queue")],
)
def test_who_may_not_answer_may_not_undo_and_the_attempt_is_kept(
    engine: Engine, person: str, reason: str
) -> None:
    gate = decided(engine)
    with pytest.raises(Denied) as refusal:
        undo(engine, person)
    assert refusal.value.reason == reason
    assert history(engine, gate)[-1] == "reversal.denied"
    assert case_of(engine, gate).status == "closed"


def test_beyond_the_queues_of_a_vendor_nothing_can_be_undone(engine: Engine) -> None:
    gate = decided(engine)
    with transaction(engine) as session:
        add_vendor(session, "acme", queues=["mixed"], by=BY, now=NOW)
        change_person(session, "ben", vendor="acme", by=BY, now=NOW)
    before = history(engine, gate)
    with pytest.raises(NotFound, match="there is no case test:T-1"):
        undo(engine)
    assert history(engine, gate) == before
    with transaction(engine) as session:
        give_queues(session, "acme", ["general", "mixed"], BY, NOW)
    assert undo(engine).missing == 0


def test_nothing_is_undone_by_who_may_not_know_of_the_case(engine: Engine) -> None:
    gate = decided(engine)
    with transaction(engine) as session:
        restrict(session, "test:T-1", ["ana"], "because", BY, NOW, operating=True)
    before = history(engine, gate)
    with pytest.raises(NotFound, match="there is no case test:T-1"):
        undo(engine)
    assert history(engine, gate) == before


def test_a_case_that_waits_is_decided_at_its_gate(engine: Engine) -> None:
    add_people(engine)
    waiting_case(engine, bundle=BUNDLE)
    with pytest.raises(Conflict, match="at its gate"):
        undo(engine)


def test_the_action_to_undo_can_be_named(engine: Engine) -> None:
    decided(engine)
    with pytest.raises(Conflict, match="`ban` does not stand"):
        undo(engine, action="ban")
    assert undo(engine, action="suspend").action == "unsuspend"


def test_an_inverse_that_no_queue_allows_says_where_to_add_it(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine, bundle=leaving_bundle())
    for person in ("ana", "ben"):
        answer_gate(engine, gate, person, answer(action="ban"), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    with pytest.raises(Conflict, match="no queue of policy small 1 allows `lift_ban`"):
        undo(engine)


def test_a_reason_is_asked_for(engine: Engine) -> None:
    decided(engine)
    with pytest.raises(InputError):
        reverse_action(engine, "test:T-1", "ana", "  ", now=NOW)
    with pytest.raises(NotFound):
        reverse_action(engine, "unknown", "ana", "because", now=NOW)
