"""Answers to playbooks: kept, in the history, and asked for before a decision."""

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.errors import CaseworkError, Denied
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.playbooks import Followed, answer_step, answers_about, followed
from casework.store.tables import Case
from tests.factories.escalation import person, told
from tests.factories.gates import BY, NOW, add_people, answer
from tests.factories.playbooks import asking_case


@pytest.fixture
def gate(engine: Engine) -> str:
    """A gate whose playbook asks, and people."""
    add_people(engine)
    return asking_case(engine)


def step(engine: Engine, gate: str, which: str, choice: str, who: str = "ana") -> None:
    with transaction(engine) as session:
        answer_step(session, gate, which, choice, person(who), NOW)


def way(engine: Engine, gate: str) -> Followed:
    with reading(engine) as session:
        found = gate_by_id(session, gate)
        followed_ = followed(session, session.get_one(Case, found.case_id), found)
    assert followed_ is not None
    return followed_


def test_a_decision_waits_for_what_the_playbook_requires_and_says_what_is_missing(
    engine: Engine, gate: str
) -> None:
    with pytest.raises(Denied, match="What is it") as refusal:
        answer_gate(engine, gate, "ana", answer(), now=NOW)
    assert refusal.value.reason == "playbook"
    step(engine, gate, "kind", "threat")
    with pytest.raises(Denied, match="Is life in danger now"):
        answer_gate(engine, gate, "ana", answer(verdict="refuse", action=None), now=NOW)
    step(engine, gate, "danger", "no")
    assert answer_gate(engine, gate, "ana", answer(), now=NOW).decided


def test_handing_over_never_waits_and_binds_nobody_after_it(engine: Engine, gate: str) -> None:
    step(engine, gate, "kind", "threat")
    over = answer(verdict="escalate", action=None, escalate_to="legal")
    assert answer_gate(engine, gate, "ana", over, now=NOW).decided
    with transaction(engine) as session:
        following = carry_out(session, gate, BY, NOW).following
    assert following is not None
    assert way(engine, following).answers["kind"].person == "ana", "what was answered stays"
    assert answer_gate(engine, following, "lea", answer(), now=NOW).missing == 1


def test_each_answer_is_in_the_history_also_one_that_is_changed(engine: Engine, gate: str) -> None:
    step(engine, gate, "kind", "figure")
    step(engine, gate, "kind", "threat", "ben")
    entries = [data for action, data in told(engine, gate) if action == "playbook.answered"]
    assert [(each["answer"], each["before"]) for each in entries] == [
        ("figure", None),
        ("threat", "figure"),
    ]
    with reading(engine) as session:
        [kept] = answers_about(session, gate_by_id(session, gate).case_id)
    assert (kept.answer, kept.person, kept.revision) == ("threat", "ben", 1)


@pytest.mark.parametrize(
    ("who", "which", "choice", "why"),
    [
        ("lea", "kind", "threat", "takes answers from"),
        ("zoe", "kind", "threat", "nobody is known"),
        ("ana", "kind", "perhaps", "no answer 'perhaps'"),
        ("ana", "other", "threat", "no step 'other'"),
    ],
)
def test_who_may_not_answer_at_the_gate_may_not_answer_its_playbook(
    engine: Engine, gate: str, who: str, which: str, choice: str, why: str
) -> None:
    with pytest.raises(CaseworkError, match=why):
        step(engine, gate, which, choice, who)
    assert way(engine, gate).answers == {}


def test_a_gate_that_is_decided_takes_no_more_answers(engine: Engine, gate: str) -> None:
    step(engine, gate, "kind", "figure")
    answer_gate(engine, gate, "ana", answer(), now=NOW)
    with pytest.raises(CaseworkError, match="decided already"):
        step(engine, gate, "kind", "threat", "ben")
