"""Gates: who may answer, and when the answers suffice. Pure; the store applies the ruling."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from casework.errors import Conflict, Denied


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


class Denial(StrEnum):
    """Why an answer, or something about who has the gate, was refused. Stable codes."""

    UNKNOWN_PERSON = "unknown_person"
    MALFORMED = "malformed"
    INACTIVE = "inactive"
    ROLE = "role"
    QUEUE = "queue"
    REQUESTER = "requester"
    ANSWERED = "answered"
    SUPERSEDED = "superseded"
    DECIDED = "decided"
    STALE_EVIDENCE = "stale_evidence"
    ACTION = "action"
    OTHER_ACTION = "other_action"
    ESCALATION = "escalation"
    UNVERIFIED = "unverified"
    HELD = "held"  # somebody else has the gate
    LOCKED = "locked"
    NOT_HOLDER = "not_holder"
    NOT_ON_HOLD = "not_on_hold"
    FOLLOW_UP = "follow_up"
    PARTICIPANT = "participant"
    RESERVED = "reserved"
    BLIND = "blind"  # what was decided is kept from who may have to review it
    EXPIRED = "expired"  # somebody's access has ended
    PAUSED = "paused"  # somebody's right to answer so is paused
    PLAYBOOK = "playbook"  # required steps of it have not been answered


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked for at a gate is not done, and why."""

    reason: Denial
    message: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer counts. ``missing`` more people are needed; none means the gate is decided."""

    missing: int


#: Denials that mean somebody was faster rather than not allowed.
LATE: Final = frozenset(
    {Denial.SUPERSEDED, Denial.DECIDED, Denial.ANSWERED, Denial.STALE_EVIDENCE, Denial.HELD}
)


def refusal_of(refused: Refused) -> Denied | Conflict:
    """The error that tells somebody of a refusal."""
    if refused.reason in LATE:
        hint = "look again: casework approvals list"
        return Conflict(refused.message, reason=str(refused.reason), hint=hint)
    return Denied(refused.message, reason=str(refused.reason))


def judge(situation: Situation, person: Person, answer: Answer, terms: Terms) -> Accepted | Refused:
    """Rule on one answer at one gate: the only place where this is decided."""
    refusal = (
        barred(situation, person, terms)
        or kept_for_another(situation, person)
        or _answer_fits(situation, person, answer, terms)
        or _playbook_is_followed(situation, answer)
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
    if answer.verdict is Verdict.ESCALATE:
        return _escalation_fits(situation, answer, terms)
    if answer.verdict is Verdict.REFUSE:
        return (
            None
            if answer.action is None
            else Refused(Denial.ACTION, "a refusal carries out nothing; leave the action empty")
        )
    return _action_fits(situation, answer, terms)


def _escalation_fits(situation: Situation, answer: Answer, terms: Terms) -> Refused | None:
    if answer.escalate_to in terms.escalations and answer.action is None:
        return None
    targets = ", ".join(sorted(terms.escalations)) or "nowhere"
    return Refused(Denial.ESCALATION, f"queue {situation.queue} hands over to: {targets}")


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
