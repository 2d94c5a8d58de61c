"""Gates: who may answer, and when the answers suffice. Pure; the store applies the ruling."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from casework.denials import Denial, Refused
from casework.limits import access_over, paused


class Role(StrEnum):
    """What a person is in the organisation."""

    ANALYST = "analyst"
    SENIOR = "senior"
    LEAD = "lead"
    QA = "qa"
    PARTNER = "partner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Verdict(StrEnum):
    """A person's answer: carry out the action, carry out nothing, or hand over."""

    APPROVE = "approve"
    REFUSE = "refuse"
    ESCALATE = "escalate"


class ActorKind(StrEnum):
    """How far we know who acted."""

    MACHINE = "machine"
    PERSON = "person"
    UNVERIFIED = "unverified"  # typed a name into Prefect's own form


class GateStatus(StrEnum):
    """Where a gate stands."""

    OPEN = "open"
    DECIDED = "decided"  # the answers suffice; the flow has not carried it out yet
    CARRIED_OUT = "carried_out"
    SUPERSEDED = "superseded"  # the case has newer content


class Answer(BaseModel):
    """A person's answer as it arrives. No field that decides has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: Verdict
    action: str | None
    rationale: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=3, max_length=10_000)
    ]
    evidence_digest: Annotated[str, StringConstraints(min_length=64, max_length=64)]
    clause: str | None = Field(None, description="The policy clause it rests on.")
    escalate_to: str | None = Field(None, description="The queue it is handed to.")


@dataclass(frozen=True, slots=True)
class Person:
    """Who answers."""

    id: str
    roles: frozenset[str]
    queues: frozenset[str]
    active: bool = True
    kind: ActorKind = ActorKind.PERSON
    access_until: datetime | None = None
    ended: bool = False  # that end has come, and was carried out
    withheld: frozenset[str] = frozenset()  # rights of theirs that are paused
    vendor: str | None = None  # whom they work for, where it is not us
    bounded_by: str | None = None  # the same, where it sees no further than queues it was given


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that has been accepted at this gate before."""

    actor: str
    verdict: Verdict
    action: str | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy bundle asks at a gate, beside the gate's own facts."""

    roles: frozenset[str]  # who may answer in this queue
    actions: Collection[str]  # what may be done in this queue
    escalations: Collection[str]  # where it may be handed over to
    approvals: int  # people needed for the action named in the answer
    needs_two: bool  # whether any action here needs more than one person
    clauses: Collection[str] = ()  # what an answer may name as the clause it rests on
    macros: Collection[str] = ()  # actions that send a prepared text
    binding: bool = True  # whether an answer is carried out; a re-review's is not


@dataclass(frozen=True, slots=True)
class Situation:
    """The gate at the moment of the answer."""

    status: GateStatus
    queue: str
    requested_by: str
    evidence_digest: str
    current: bool  # whether its revision is still the case's newest
    given: Sequence[Given]
    holder: str | None = None  # who has claimed it or was assigned to it, as long as that lasts
    locked: bool = False  # a ladder has come so far that a lead must answer
    barred: frozenset[str] = frozenset()  # who took part in what is looked at again
    reserved_for: str | None = None  # the one person who may answer
    unanswered: Sequence[str] = ()  # required steps of its playbook, as they are asked
    now: datetime | None = None  # None: nobody's access is held against a time


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer counts. ``missing`` more people are needed; none means the gate is decided."""

    missing: int


def judge(situation: Situation, person: Person, answer: Answer, terms: Terms) -> Accepted | Refused:
    """Rule on one answer at one gate: the only place where this is decided."""
    refusal = (
        barred(situation, person, terms)
        or kept_for_another(situation, person)
        or _answer_fits(situation, person, answer, terms)
        or _playbook_is_followed(situation, answer)
        or _is_withheld(person, answer, terms)
    )
    if refusal:
        return refusal
    if answer.verdict is not Verdict.APPROVE:
        return Accepted(missing=0)
    agreeing = sum(1 for given in situation.given if given.verdict is Verdict.APPROVE)
    return Accepted(missing=max(0, terms.approvals - agreeing - 1))


def barred(situation: Situation, person: Person, terms: Terms) -> Refused | None:
    """Why somebody may not answer at a gate, whatever they say; None if they may."""
    return _gate_takes_answers(situation) or _person_may_answer(situation, person, terms)


def kept_for_another(situation: Situation, person: Person) -> Refused | None:
    """Why somebody must leave a gate to who has it; None where nobody else does, or they lead."""
    if situation.holder in (None, person.id) or Role.LEAD in person.roles:
        return None
    return Refused(Denial.HELD, f"{situation.holder} has this gate; ask them, or a lead")


def _playbook_is_followed(situation: Situation, answer: Answer) -> Refused | None:
    """What is required comes before a decision; handing over must never wait for it."""
    if answer.verdict is Verdict.ESCALATE or not situation.unanswered:
        return None
    asked = " ".join(situation.unanswered)
    return Refused(Denial.PLAYBOOK, f"the playbook is not answered yet: {asked}")


def judge_view(situation: Situation, person: Person, terms: Terms) -> Refused | None:
    """Rule on looking at a gate that is only for those who may answer there; None allows it."""
    return _person_may_answer(situation, person, terms)


def _gate_takes_answers(situation: Situation) -> Refused | None:
    if situation.status is GateStatus.SUPERSEDED or not situation.current:
        return Refused(Denial.SUPERSEDED, "the case has newer content; decide at its newest gate")
    if situation.status is not GateStatus.OPEN:
        return Refused(Denial.DECIDED, "this gate has been decided already")
    return None


def _person_may_answer(situation: Situation, person: Person, terms: Terms) -> Refused | None:
    if not person.active:
        return Refused(Denial.INACTIVE, f"{person.id} is no longer active")
    if over := access_over(person.id, person.access_until, person.ended, situation.now):
        return Refused(Denial.EXPIRED, over)
    if not person.roles & terms.roles:
        needed = ", ".join(sorted(terms.roles))
        return Refused(Denial.ROLE, f"queue {situation.queue} takes answers from: {needed}")
    if "*" not in person.queues and situation.queue not in person.queues:
        return Refused(Denial.QUEUE, f"{person.id} does not work in queue {situation.queue}")
    if situation.locked and Role.LEAD not in person.roles:
        return Refused(Denial.LOCKED, "this gate is overdue and locked: a lead must answer")
    if person.id == situation.requested_by:
        return Refused(Denial.REQUESTER, "who asked for this decision may not take it")
    if person.id in situation.barred:
        return Refused(Denial.PARTICIPANT, f"{person.id} took part in what is looked at again")
    if situation.reserved_for not in (None, person.id):
        return Refused(Denial.RESERVED, "this gate is meant for somebody else")
    if any(given.actor == person.id for given in situation.given):
        return Refused(Denial.ANSWERED, f"{person.id} has answered at this gate already")
    return None


def _answer_fits(
    situation: Situation, person: Person, answer: Answer, terms: Terms
) -> Refused | None:
    if answer.evidence_digest != situation.evidence_digest:
        return Refused(
            Denial.STALE_EVIDENCE, "the evidence is not the one this gate is about; look again"
        )
    if person.kind is ActorKind.UNVERIFIED and (terms.needs_two or terms.approvals > 1):
        return Refused(
            Denial.UNVERIFIED, "a gate that can need two people takes no unverified answer"
        )
    if answer.clause is not None and answer.clause not in terms.clauses:
        return Refused(Denial.CLAUSE, unknown_clause(answer.clause, terms.clauses))
    if answer.verdict is Verdict.ESCALATE:
        return _escalation_fits(situation, answer, terms)
    if answer.verdict is Verdict.REFUSE:
        return (
            None
            if answer.action is None
            else Refused(Denial.ACTION, "a refusal carries out nothing; leave the action empty")
        )
    return _action_fits(situation, answer, terms)


def _is_withheld(person: Person, answer: Answer, terms: Terms) -> Refused | None:
    """What is paused is refused; handing over never is, so that nothing waits in vain."""
    if not terms.binding or answer.verdict is Verdict.ESCALATE:
        return None
    # A refusal is one person's, however many must approve.
    alone = answer.verdict is Verdict.REFUSE or terms.approvals <= 1
    macro_of = answer.action if answer.action in terms.macros else None
    told = paused(person.id, person.withheld, alone, macro_of)
    return Refused(Denial.PAUSED, told) if told else None


def unknown_clause(clause: str, known: Collection[str]) -> str:
    """Say that a clause is none that an answer may name, and which are."""
    named = ", ".join(sorted(known)) or "none"
    return f"the policy has no clause {clause[:100]} for this case; it has: {named}"


def _escalation_fits(situation: Situation, answer: Answer, terms: Terms) -> Refused | None:
    if answer.escalate_to in terms.escalations and answer.action is None:
        return None
    targets = ", ".join(sorted(terms.escalations)) or "nowhere"
    return Refused(Denial.ESCALATION, f"queue {situation.queue} escalates to: {targets}")


def _action_fits(situation: Situation, answer: Answer, terms: Terms) -> Refused | None:
    if answer.action not in terms.actions:
        allowed = ", ".join(sorted(terms.actions))
        return Refused(Denial.ACTION, f"queue {situation.queue} allows: {allowed}")
    for given in situation.given:
        if given.verdict is Verdict.APPROVE and given.action != answer.action:
            return Refused(
                Denial.OTHER_ACTION,
                f"{given.actor} has approved {given.action}: approve the same, refuse or escalate",
            )
    return None


def gate_id(case_id: str, revision: int, step: int) -> str:
    """The gate's id, derived, so that opening it twice opens it once."""
    return f"g{case_id[1:]}-{revision}-{step}"
