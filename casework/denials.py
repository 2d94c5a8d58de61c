"""Why something that was asked for at a gate is refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from casework.errors import Conflict, Denied


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
    CLAUSE = "clause"  # the policy does not have it for this case
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
    NEED_TO_KNOW = "need_to_know"  # the case is restricted to others
    PLAYBOOK = "playbook"  # required steps of it have not been answered


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked for at a gate is not done, and why."""

    reason: Denial
    message: str


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
