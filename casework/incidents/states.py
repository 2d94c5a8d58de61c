"""Where an incident stands, what may be done to it there, and who may do it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from casework.errors import Conflict
from casework.gates import Person, Role
from casework.incidents.roles import LIAISONS, IncidentRole


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    CONTAINED = "contained"  # the harm spreads no further
    RESOLVED = "resolved"  # what was harmed has been put right
    CLOSED = "closed"  # the report is signed off


#: Legal moves. What has broken out again is open again; what is closed stays closed.
TRANSITIONS: Final[Mapping[IncidentStatus, frozenset[IncidentStatus]]] = {
    IncidentStatus.OPEN: frozenset({IncidentStatus.CONTAINED, IncidentStatus.RESOLVED}),
    IncidentStatus.CONTAINED: frozenset({IncidentStatus.OPEN, IncidentStatus.RESOLVED}),
    IncidentStatus.RESOLVED: frozenset({IncidentStatus.OPEN, IncidentStatus.CLOSED}),
    IncidentStatus.CLOSED: frozenset(),
}


class Operation(StrEnum):
    """What somebody may want to do in an incident."""

    OPEN = "open"
    ATTACH = "attach"
    DETACH = "detach"
    ASSIGN = "assign"
    RENOUNCE = "renounce"  # one's own role
    NOTE = "note"
    ASK = "ask"  # a partner team for something
    SETTLE = "settle"  # say that it came, or that it is not needed
    UPDATE = "update"
    HOLD = "hold"
    LIFT = "lift"
    MOVE = "move"
    RATE = "rate"
    CLOSE = "close"
    FOLLOW_UP = "follow_up"


#: What is still done after the report has been signed off.
AFTER_CLOSING: Final = frozenset({Operation.NOTE, Operation.FOLLOW_UP, Operation.CLOSE})


@dataclass(frozen=True, slots=True)
class Right:
    """Whose an operation is: by a role in the organisation, or by one held in the incident."""

    roles: frozenset[Role]
    held: frozenset[IncidentRole] = frozenset()


_COMMAND: Final = Right(frozenset({Role.LEAD}), frozenset({IncidentRole.COMMANDER}))
_RUN: Final = frozenset({IncidentRole.COMMANDER, IncidentRole.SCRIBE, *LIAISONS})
_SENIORS: Final = frozenset({Role.SENIOR, Role.LEAD})
_ANYONE: Final = Right(_SENIORS | {Role.ANALYST, Role.QA, Role.PARTNER}, frozenset(IncidentRole))

#: Who may do what.
RIGHTS: Final[Mapping[Operation, Right]] = {
    Operation.OPEN: Right(_SENIORS),
    Operation.ATTACH: Right(_SENIORS | {Role.ANALYST}, frozenset(IncidentRole)),
    Operation.DETACH: Right(_SENIORS, frozenset({IncidentRole.COMMANDER})),
    Operation.ASSIGN: Right(_SENIORS, frozenset({IncidentRole.COMMANDER})),
    Operation.RENOUNCE: _ANYONE,
    Operation.NOTE: _ANYONE,
    Operation.ASK: Right(_SENIORS, _RUN),
    Operation.SETTLE: Right(_SENIORS | {Role.PARTNER}, _RUN),
    Operation.UPDATE: Right(
        frozenset({Role.LEAD}), frozenset({IncidentRole.COMMANDER, IncidentRole.COMMUNICATIONS})
    ),
    Operation.HOLD: _COMMAND,
    Operation.LIFT: _COMMAND,
    Operation.MOVE: _COMMAND,
    Operation.RATE: _COMMAND,
    Operation.CLOSE: _COMMAND,
    Operation.FOLLOW_UP: Right(
        _SENIORS | {Role.QA}, frozenset({IncidentRole.COMMANDER, IncidentRole.SCRIBE})
    ),
}


class Denial(StrEnum):
    """Why somebody was refused. Stable codes."""

    UNKNOWN_PERSON = "unknown_person"
    INACTIVE = "inactive"
    ROLE = "role"
    CLOSED = "closed"
    NOT_QUALIFIED = "not_qualified"
    MOVE = "move"
    NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True)
class Refused:
    """What may not be done, and why."""

    reason: Denial
    message: str


def judge(
    operation: Operation,
    person: Person | None,
    held: Collection[IncidentRole] = (),
    status: IncidentStatus = IncidentStatus.OPEN,
) -> Refused | None:
    """Rule on one operation by one person, who holds some roles in the incident."""
    if person is None:
        return Refused(Denial.UNKNOWN_PERSON, "nobody is known by this id")
    if not person.active or person.ended:
        return Refused(Denial.INACTIVE, f"{person.id} is no longer active")
    right = RIGHTS[operation]
    if not (person.roles & right.roles or right.held & set(held)):
        needed = ", ".join(sorted(right.roles) + sorted(right.held))
        return Refused(Denial.ROLE, f"to {operation} takes one of: {needed}".replace("_", " "))
    if status is IncidentStatus.CLOSED and operation not in AFTER_CLOSING:
        return Refused(
            Denial.CLOSED, "the incident is closed: add a note or a follow-up, or open another"
        )
    return None


def check_move(before: IncidentStatus, after: IncidentStatus) -> None:
    """Refuse an illegal move.

    Raises:
        Conflict: the incident may not go from ``before`` to ``after``.
    """
    if after in TRANSITIONS[before]:
        return
    ways = ", ".join(sorted(TRANSITIONS[before])) or "nothing else"
    raise Conflict(
        f"an incident that is {before} cannot become {after}",
        reason=str(Denial.MOVE),
        hint=f"from {before} it becomes {ways}",
    )


def unfinished(*, commanded: bool, owed: Collection[str], holds: Collection[str]) -> list[str]:
    """What must be done before an incident can be closed, as sentences; none: it can be.

    ``owed`` names what partners still owe, ``holds`` those that are still active.
    """
    reasons = []
    if not commanded:
        reasons.append("nobody has ever commanded it")
    reasons += [f"{task} is neither done nor cancelled" for task in owed]
    reasons += [f"hold {hold} still stops the machine: lift it" for hold in holds]
    return reasons


def incident_id(key: str) -> str:
    """The incident's id, derived from what its opener calls it, so that it is opened once."""
    return "inc" + sha256(f"incident\x00{key}".encode()).hexdigest()[:12]
