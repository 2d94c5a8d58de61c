"""The guard: who may answer at a gate, and when the answers suffice."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.denials import Denial, Refused
from casework.evidence import seen_in_full
from casework.gates import (
    Accepted,
    ActorKind,
    Answer,
    GateStatus,
    Given,
    Person,
    Situation,
    Terms,
    Verdict,
    judge,
)

DIGEST = "a" * 64
TERMS = Terms(
    roles=frozenset({"analyst"}),
    actions=frozenset({"ban", "warn"}),
    escalations=frozenset({"legal"}),
    approvals=1,
    needs_two=False,
)
OPEN = Situation(GateStatus.OPEN, "general", "policy", DIGEST, current=True, given=())
ANA = Person("ana", frozenset({"analyst"}), frozenset({"general"}))
BEN = Person("ben", frozenset({"analyst"}), frozenset({"*"}))


def answer(
    verdict: str = "approve",
    action: str | None = "ban",
    digest: str = DIGEST,
    to: str | None = None,
    clause: str | None = None,
) -> Answer:
    return Answer(
        verdict=Verdict(verdict),
        action=action,
        rationale="because",
        evidence_digest=digest,
        clause=clause,
        escalate_to=to,
    )


def test_one_person_decides_where_one_suffices() -> None:
    assert judge(OPEN, ANA, answer(), TERMS) == Accepted(missing=0)


def test_the_first_of_two_leaves_one_missing() -> None:
    assert judge(OPEN, ANA, answer(), replace(TERMS, approvals=2)) == Accepted(missing=1)


def test_the_second_of_two_decides() -> None:
    situation = replace(OPEN, given=(Given("ana", Verdict.APPROVE, "ban"),))
    assert judge(situation, BEN, answer(), replace(TERMS, approvals=2)) == Accepted(missing=0)


def test_the_holder_of_a_gate_answers_and_a_lead_answers_over_them() -> None:
    held, terms = replace(OPEN, holder="ana"), replace(TERMS, roles=frozenset({"analyst", "lead"}))
    lou = Person("lou", frozenset({"lead"}), frozenset({"*"}))
    assert judge(held, ANA, answer(), terms) == Accepted(missing=0)
    assert judge(held, lou, answer(), terms) == Accepted(missing=0)
    assert judge(replace(held, locked=True), lou, answer(), terms) == Accepted(missing=0)


def test_who_a_gate_is_reserved_for_may_answer() -> None:
    situation = replace(OPEN, reserved_for="ana", barred=frozenset({"ben"}))
    assert judge(situation, ANA, answer(), TERMS) == Accepted(missing=0)


def test_one_refusal_ends_a_gate_that_needs_two() -> None:
    ruling = judge(OPEN, ANA, answer("refuse", None), replace(TERMS, approvals=2))
    assert ruling == Accepted(missing=0)


def test_handing_over_needs_one_person() -> None:
    ruling = judge(OPEN, ANA, answer("escalate", None, to="legal"), replace(TERMS, approvals=2))
    assert ruling == Accepted(missing=0)


@pytest.mark.parametrize(
    ("situation", "person", "given_answer", "terms", "reason"),
    [
        (replace(OPEN, status=GateStatus.DECIDED), ANA, answer(), TERMS, Denial.DECIDED),
        (replace(OPEN, holder="ben"), ANA, answer(), TERMS, Denial.HELD),
        (replace(OPEN, locked=True), ANA, answer(), TERMS, Denial.LOCKED),
        (replace(OPEN, locked=True, holder="ana"), ANA, answer(), TERMS, Denial.LOCKED),
        (replace(OPEN, status=GateStatus.CARRIED_OUT), ANA, answer(), TERMS, Denial.DECIDED),
        (replace(OPEN, status=GateStatus.SUPERSEDED), ANA, answer(), TERMS, Denial.SUPERSEDED),
        (replace(OPEN, current=False), ANA, answer(), TERMS, Denial.SUPERSEDED),
        (OPEN, replace(ANA, active=False), answer(), TERMS, Denial.INACTIVE),
        (OPEN, replace(ANA, roles=frozenset({"auditor"})), answer(), TERMS, Denial.ROLE),
        (OPEN, replace(ANA, roles=frozenset()), answer(), TERMS, Denial.ROLE),
        (OPEN, replace(ANA, queues=frozenset({"fraud"})), answer(), TERMS, Denial.QUEUE),
        (replace(OPEN, requested_by="ana"), ANA, answer(), TERMS, Denial.REQUESTER),
        (replace(OPEN, barred=frozenset({"ana"})), ANA, answer(), TERMS, Denial.PARTICIPANT),
        (replace(OPEN, reserved_for="ben"), ANA, answer(), TERMS, Denial.RESERVED),
        (OPEN, ANA, answer(digest="b" * 64), TERMS, Denial.STALE_EVIDENCE),
        (OPEN, ANA, answer(action="behead"), TERMS, Denial.ACTION),
        (OPEN, ANA, answer(action=None), TERMS, Denial.ACTION),
        (OPEN, ANA, answer("refuse", "ban"), TERMS, Denial.ACTION),
        (OPEN, ANA, answer("escalate", None), TERMS, Denial.ESCALATION),
        (OPEN, ANA, answer("escalate", None, to="press"), TERMS, Denial.ESCALATION),
        (OPEN, ANA, answer("escalate", "ban", to="legal"), TERMS, Denial.ESCALATION),
        (
            OPEN,
            replace(ANA, kind=ActorKind.UNVERIFIED),
            answer(),
            replace(TERMS, needs_two=True),
            Denial.UNVERIFIED,
        ),
        (
            replace(OPEN, given=(Given("ana", Verdict.APPROVE, "ban"),)),
            ANA,
            answer(),
            replace(TERMS, approvals=2),
            Denial.ANSWERED,
        ),
        (
            replace(OPEN, given=(Given("ben", Verdict.APPROVE, "warn"),)),
            ANA,
            answer(),
            replace(TERMS, approvals=2),
            Denial.OTHER_ACTION,
        ),
    ],
)
def test_the_guard_refuses_with_its_reason(
    situation: Situation, person: Person, given_answer: Answer, terms: Terms, reason: Denial
) -> None:
    ruling = judge(situation, person, given_answer, terms)
    assert isinstance(ruling, Refused)
    assert ruling.reason is reason
    assert ruling.message


@given(
    approvals=st.integers(1, 5),
    people=st.lists(st.sampled_from("abcdefgh"), max_size=20),
)
def test_as_many_different_people_as_needed_must_approve(approvals: int, people: list[str]) -> None:
    given: list[Given] = []
    terms = replace(TERMS, approvals=approvals)
    for name in people:
        person = replace(BEN, id=name)
        ruling = judge(replace(OPEN, given=tuple(given)), person, answer(), terms)
        seen = {earlier.actor for earlier in given}
        if name in seen:
            assert isinstance(ruling, Refused)
            continue
        assert isinstance(ruling, Accepted)
        given.append(Given(name, Verdict.APPROVE, "ban"))
        assert ruling.missing == max(0, approvals - len(given))
        if ruling.missing == 0:
            break


@given(
    status=st.sampled_from(GateStatus),
    current=st.booleans(),
    role=st.sampled_from(["analyst", "auditor"]),
    queue=st.sampled_from(["*", "general", "fraud"]),
    digest=st.sampled_from([DIGEST, "b" * 64]),
    requester=st.sampled_from(["policy", "ana"]),
)
def test_nothing_but_a_fitting_answer_is_accepted(
    status: GateStatus, current: bool, role: str, queue: str, digest: str, requester: str
) -> None:
    situation = replace(OPEN, status=status, current=current, requested_by=requester)
    person = replace(ANA, roles=frozenset({role}), queues=frozenset({queue}))
    fits = (
        status is GateStatus.OPEN
        and current
        and role == "analyst"
        and queue != "fraud"
        and digest == DIGEST
        and requester == "policy"
    )
    assert isinstance(judge(situation, person, answer(digest=digest), TERMS), Accepted) == fits


@pytest.mark.parametrize("typed", ["ab" * 32, "ab" * 6, " ABABABABABAB\n"])
def test_twelve_characters_of_the_evidence_stand_for_all_of_it(typed: str) -> None:
    assert seen_in_full("ab" * 32, typed) == "ab" * 32


@pytest.mark.parametrize("typed", ["", "ab" * 5, "cd" * 6, "ab" * 40])
def test_other_evidence_stays_other_at_the_length_of_a_digest(typed: str) -> None:
    assert seen_in_full("ab" * 32, typed) != "ab" * 32
    assert len(seen_in_full("ab" * 32, typed)) == 64


PAUSED = replace(ANA, withheld=frozenset({"alone", "macros"}))


@pytest.mark.parametrize(
    ("given", "terms", "refused"),
    [
        (answer(), TERMS, "decide alone"),
        (answer("refuse", None), replace(TERMS, approvals=2), "decide alone"),
        (answer(), replace(TERMS, approvals=2), ""),
        (answer(), replace(TERMS, approvals=2, macros={"ban"}), "answer with a macro"),
        (answer("escalate", None, to="legal"), TERMS, ""),
        (answer(), replace(TERMS, binding=False, macros={"ban"}), ""),
    ],
)
def test_a_paused_right_is_refused_and_nothing_beside_it(
    given: Answer, terms: Terms, refused: str
) -> None:
    ruling = judge(OPEN, PAUSED, given, terms)
    assert isinstance(ruling, Refused) == bool(refused)
    if isinstance(ruling, Refused):
        assert (ruling.reason, refused in ruling.message) == (Denial.PAUSED, True)
    assert isinstance(judge(OPEN, ANA, given, terms), Accepted)


@pytest.mark.parametrize("verdict", ["approve", "refuse", "escalate"])
def test_a_clause_that_the_policy_does_not_have_is_refused_with_those_it_has(verdict: str) -> None:
    action, to = {"approve": ("ban", None), "refuse": (None, None), "escalate": (None, "legal")}[
        verdict
    ]
    terms = replace(TERMS, clauses={"C2", "C1"})
    known = answer(verdict, action, to=to, clause="C2")
    assert judge(OPEN, ANA, known, terms) == Accepted(missing=0)
    ruling = judge(OPEN, ANA, known.model_copy(update={"clause": "C9"}), terms)
    assert isinstance(ruling, Refused)
    assert ruling.reason == Denial.CLAUSE
    assert "no clause C9" in ruling.message
    assert ruling.message.endswith("it has: C1, C2")
