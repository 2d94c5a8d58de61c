"""Answers in the store: taken once, under the guard, whatever happens at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from casework.answering import Taken, answer_gate
from casework.errors import CaseworkError, Conflict, Denied, NotFound
from casework.gates import ActorKind
from casework.store.assignment import claim
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.gates import (
    answers_at,
    gate_by_id,
    gates_without_run,
    note_wake,
    waiting_gates,
)
from casework.store.ledger import entries_of
from casework.store.tables import Case
from tests.factories.escalation import HOUR, LEASE, add_everybody, person, timed_case
from tests.factories.gates import BY, NOW, add_people, answer, waiting_case
from tests.factories.playbooks import asking_case, follow


def actions(engine: Engine, gate: str) -> list[str]:
    with reading(engine) as session:
        return [e.action for e in entries_of(session, gate_by_id(session, gate).case_id)]


def attempt(engine: Engine, gate: str, person: str, **fields: object) -> Taken | CaseworkError:
    try:
        return answer_gate(engine, gate, person, answer(**fields), now=NOW)  # type: ignore[arg-type]
    except CaseworkError as refusal:
        return refusal


def test_a_decision_is_kept_with_who_why_and_on_what(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine)
    assert answer_gate(engine, gate, "ana", answer(clause="C1"), now=NOW).decided
    with reading(engine) as session:
        (kept,) = answers_at(session, gate)
        found = gate_by_id(session, gate)
    assert (kept.actor, kept.actor_kind, kept.verdict, kept.clause) == (
        "ana",
        "person",
        "approve",
        "C1",
    )
    assert (kept.evidence_digest, kept.policy_digest) == (
        found.evidence_digest,
        found.policy_digest,
    )
    assert (found.status, found.decided_at) == ("decided", NOW)


@pytest.mark.parametrize(("clause", "known"), [("C1", False), ("T1", True), ("", False)])
def test_an_answer_rests_on_a_clause_of_the_category_that_its_rule_names(
    engine: Engine, clause: str, known: bool
) -> None:
    add_people(engine)
    gate = asking_case(engine)
    follow(engine, gate, "ana")
    told = attempt(engine, gate, "ana", action="suspend", clause=clause)
    assert isinstance(told, Taken) == known
    if isinstance(told, Denied):
        assert (told.reason, told.message.endswith("it has: T1")) == ("clause", True)
        assert actions(engine, gate)[-1] == "gate.denied"


def test_of_two_people_at_once_one_decides_and_the_other_is_told(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda who: attempt(engine, gate, who), ["ana", "ben"]))
    taken = [result for result in results if isinstance(result, Taken)]
    told = [result for result in results if isinstance(result, Conflict)]
    assert (len(taken), len(told)) == (1, 1)
    assert told[0].reason == "decided"
    assert actions(engine, gate).count("gate.decided") == 1
    assert actions(engine, gate).count("gate.denied") == 1


def test_many_answers_of_one_person_at_once_count_once(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine, queue="legal")
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: attempt(engine, gate, "lea", action="ban"), range(6)))
    assert sum(isinstance(result, Taken) for result in results) == 1
    with reading(engine) as session:
        assert len(answers_at(session, gate)) == 1
        assert gate_by_id(session, gate).status == "open"


@pytest.mark.parametrize(
    ("person", "fields", "reason"),
    [
        ("nobody", {}, "unknown_person"),
        ("aud", {}, "role"),
        ("cleo", {}, "queue"),
        ("ana", {"action": "ban"}, "action"),
        ("ana", {"evidence_digest": "b" * 64}, "stale_evidence"),
        ("ana", {"verdict": "perhaps"}, "malformed"),
        ("ana", {"rationale": ""}, "malformed"),
        ("ana", {"approved": True}, "malformed"),
    ],
)
def test_a_refused_attempt_is_in_the_history_and_changes_nothing(
    engine: Engine, person: str, fields: dict[str, object], reason: str
) -> None:
    add_people(engine)
    gate = waiting_case(engine)
    with pytest.raises((Denied, Conflict)) as refusal:
        answer_gate(engine, gate, person, answer(**fields), now=NOW)  # type: ignore[arg-type]
    assert getattr(refusal.value, "reason") == reason  # noqa: B009
    assert actions(engine, gate)[-1] == "gate.denied"
    with reading(engine) as session:
        assert gate_by_id(session, gate).status == "open"
        assert answers_at(session, gate) == []


def test_an_unverified_answer_counts_only_where_one_person_suffices(engine: Engine) -> None:
    add_people(engine)
    single, double = waiting_case(engine, "T-1"), waiting_case(engine, "T-2", queue="mixed")
    unverified = ActorKind.UNVERIFIED
    taken = answer_gate(engine, single, "ana", answer("T-1"), now=NOW, kind=unverified)
    assert taken.decided
    with pytest.raises(Denied) as refusal:
        answer_gate(engine, double, "ana", answer("T-2"), now=NOW, kind=unverified)
    assert refusal.value.reason == "unverified"


def test_who_hands_over_may_not_answer_at_the_next_gate(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine, queue="legal")
    handing = {"verdict": "escalate", "action": None, "escalate_to": "general"}
    answer_gate(engine, gate, "lea", answer(**handing), now=NOW)  # type: ignore[arg-type]
    with transaction(engine) as session:
        following = carry_out(session, gate, BY, NOW).following
    assert following is not None
    with reading(engine) as session:
        assert gate_by_id(session, following).requested_by == "lea"
        assert gate_by_id(session, following).queue == "general"


def test_carrying_out_twice_closes_once(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine)
    answer_gate(engine, gate, "ana", answer(), now=NOW)
    for _ in range(2):
        with transaction(engine) as session:
            assert carry_out(session, gate, BY, NOW).status == "carried_out"
    assert actions(engine, gate).count("case.closed") == 1
    with reading(engine) as session:
        case = session.get_one(Case, gate_by_id(session, gate).case_id)
    assert (case.status, case.action) == ("closed", "no_action")


def test_carrying_out_at_once_closes_once(engine: Engine) -> None:
    add_people(engine)
    gate = waiting_case(engine)
    answer_gate(engine, gate, "ana", answer(), now=NOW)

    def once(_: int) -> str:
        with transaction(engine) as session:
            return carry_out(session, gate, BY, NOW).status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(once, range(4))) == {"carried_out"}
    assert actions(engine, gate).count("case.closed") == 1


def test_each_wake_raises_the_attempt_and_is_in_the_history(engine: Engine) -> None:
    gate = waiting_case(engine)
    for expected in (2, 3):
        with transaction(engine) as session:
            assert note_wake(session, gate, BY, NOW) == expected
    assert actions(engine, gate).count("gate.woken") == 2


def test_waiting_gates_come_the_most_severe_first_then_the_oldest(engine: Engine) -> None:
    late = waiting_case(engine, "T-1", severity="P1", opened_at=NOW + timedelta(hours=1))
    early = waiting_case(engine, "T-2", severity="P1")
    worst = waiting_case(engine, "T-3", severity="P0", opened_at=NOW + timedelta(hours=2))
    with reading(engine) as session:
        assert [row["id"] for row in waiting_gates(session)] == [worst, early, late]
        assert [row["id"] for row in waiting_gates(session, limit=1, offset=1)] == [early]
        assert [gate.id for gate in gates_without_run(session)] == [worst, early, late]
        assert waiting_gates(session, queues=["legal"]) == []


def test_a_gate_that_does_not_exist_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        answer_gate(engine, "g0", "ana", answer(), now=NOW)


def test_waiting_gates_say_who_has_them_and_when_they_are_due(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine)
    bare = waiting_case(engine, "T-2")
    with transaction(engine) as session:
        claim(session, gate, LEASE, person("ana"), NOW)

    def shown(at: datetime) -> dict[str, tuple[str | None, datetime | None]]:
        with reading(engine) as session:
            rows = waiting_gates(session, now=at)
        return {row["id"]: (row["holder"], row["due_at"]) for row in rows}

    assert shown(NOW) == {gate: ("ana", NOW + HOUR), bare: (None, None)}
    assert shown(NOW + LEASE) == {gate: (None, NOW + HOUR), bare: (None, None)}
