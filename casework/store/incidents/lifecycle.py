"""Incidents in the store: opening, moving, closing, and the guard before everything done in one.

Each function that changes something takes the incident's row first, so that two people who act at
once act one after the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from casework.canonical import digest
from casework.cases import Severity
from casework.errors import Conflict, Denied, InputError, NotFound
from casework.gates import ActorKind
from casework.incidents.partner_tasks import owed
from casework.incidents.roles import IncidentRole, roles_of
from casework.incidents.states import (
    Denial,
    IncidentStatus,
    Operation,
    Refused,
    check_move,
    incident_id,
    judge,
    unfinished,
)
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.bulk import insert_rows, stored_time
from casework.store.incidents.reading import tasks_of, tenures_of
from casework.store.keyset import behind
from casework.store.ledger import append
from casework.store.people import answering
from casework.store.tables import Hold, Incident, IncidentCase, LedgerEntry

_OPENED: Final = (
    "id",
    "title",
    "severity",
    "category",
    "status",
    "opened_by",
    "detected_at",
    "opened_at",
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What somebody says who opens an incident. The same ``key`` is the same incident."""

    key: str
    title: str
    severity: Severity
    category: str | None = None
    detected_at: datetime | None = None


def open_incident(session: Session, opening: Opening, by: Provenance, now: datetime) -> Incident:
    """Open an incident, once for each key, however many people do it at the same time.

    Raises:
        Denied: this person may not.
        InputError: it was detected in the future.
    """
    person = answering(session, by.actor, ActorKind(by.actor_kind))
    if refused := judge(Operation.OPEN, person):
        raise _refusal(refused)
    if opening.detected_at and opening.detected_at > now:
        raise InputError("nobody can have noticed it after now", hint="check the time and its zone")
    identity = incident_id(opening.key)
    if session.get(Incident, identity) is None:
        _insert(session, identity, opening, by, now)
    found = _locked(session, identity)
    if not _is_recorded(session, identity):
        data = {
            "severity": found.severity,
            "category": found.category,
            "title_digest": digest(found.title),
        }
        record(session, identity, Action.INCIDENT_OPENED, data, by, now)
    return found


def move_incident(
    session: Session, incident: str, status: IncidentStatus, by: Provenance, now: datetime
) -> bool:
    """Say that an incident is contained, resolved or open again; False if it is already.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: it may not go there from where it is.
    """
    found = entered(session, incident, Operation.MOVE, by)
    if found.status == status:
        return False
    if status is IncidentStatus.CLOSED:
        raise Conflict(
            "closing takes more than a move",
            reason=str(Denial.MOVE),
            hint=f"casework incident close {incident}",
        )
    before = IncidentStatus(found.status)
    check_move(before, status)
    found.status = status
    session.add(found)
    data = {"before": str(before), "after": str(status)}
    record(session, incident, Action.INCIDENT_MOVED, data, by, now)
    return True


def rate_incident(
    session: Session, incident: str, severity: Severity, by: Provenance, now: datetime
) -> bool:
    """Change an incident's severity; False if it is that already.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: it is closed.
    """
    found = entered(session, incident, Operation.RATE, by)
    if found.severity == severity:
        return False
    data = {"before": found.severity, "after": str(severity)}
    found.severity = severity
    session.add(found)
    record(session, incident, Action.INCIDENT_RATED, data, by, now)
    return True


def close_incident(session: Session, incident: str, by: Provenance, now: datetime) -> bool:
    """Close a resolved incident that leaves nothing open; False if it is closed already.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: it is not resolved, or something is left to do, and what.
    """
    found = entered(session, incident, Operation.CLOSE, by)
    if found.status == IncidentStatus.CLOSED:
        return False
    check_move(IncidentStatus(found.status), IncidentStatus.CLOSED)
    if reasons := _left_to_do(session, incident):
        raise Conflict(
            "; ".join(reasons),
            reason=str(Denial.NOT_READY),
            hint=f"casework incident show {incident}",
        )
    found.status = IncidentStatus.CLOSED
    found.closed_at = now
    session.add(found)
    data = {"before": str(IncidentStatus.RESOLVED), "after": str(IncidentStatus.CLOSED)}
    record(session, incident, Action.INCIDENT_CLOSED, data, by, now)
    return True


def note_denial(
    session: Session, incident: str | None, reason: str, by: Provenance, now: datetime
) -> None:
    """Write a refused attempt into the history; of one to open an incident, into the system's."""
    known = incident and session.get(Incident, incident, with_for_update=True)
    chain = incident if incident and known else SYSTEM
    record(session, chain, Action.INCIDENT_DENIED, {"reason": reason}, by, now)


def incident_by_id(session: Session, incident: str) -> Incident:
    """One incident.

    Raises:
        NotFound: there is no such incident.
    """
    found = session.get(Incident, incident)
    if found is None:
        raise NotFound(f"there is no incident {incident}", hint="casework incident list")
    return found


def list_incidents(
    session: Session,
    *,
    status: str | None = None,
    limit: int = 50,
    offset: int = 0,
    after: str = "",
) -> list[dict[str, Any]]:
    """Incidents with the number of their cases, the most severe first, then the oldest."""
    attached = (
        select(func.count(func.distinct(col(IncidentCase.case_id))))
        .where(col(IncidentCase.incident_id) == col(Incident.id))
        .where(col(IncidentCase.detached_at).is_(None))
        .scalar_subquery()
    )
    order = (col(Incident.severity), col(Incident.opened_at), col(Incident.id))
    statement = select(Incident, attached).order_by(*order)
    if after:
        statement = behind(session, statement, order, col(Incident.id) == after, after)
    if status is not None:
        statement = statement.where(col(Incident.status) == status)
    rows = session.execute(statement.limit(limit).offset(offset))
    return [{**incident.model_dump(), "cases": number} for incident, number in rows]


def entered(session: Session, incident: str, operation: Operation, by: Provenance) -> Incident:
    """An incident, held until the transaction ends, in which somebody may do something.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: the incident is closed.
    """
    found = _locked(session, incident)
    person = answering(session, by.actor, ActorKind(by.actor_kind))
    held: set[IncidentRole] = roles_of(tenures_of(session, incident), by.actor)
    if refused := judge(operation, person, held, IncidentStatus(found.status)):
        raise _refusal(refused)
    return found


def record(
    session: Session,
    incident: str,
    action: Action,
    data: Mapping[str, Any],
    by: Provenance,
    now: datetime,
    cases: Sequence[str] = (),
) -> None:
    """Write what happened into the incident's history, and into that of the cases it concerns."""
    drafts = [Draft(incident, action, data)]
    drafts += [Draft(case, action, {"incident": incident}) for case in cases]
    append(session, drafts, by, now)


def next_number(session: Session, table: Any, incident: str) -> int:
    """The number after the last one of an incident's rows in a table; the incident is held."""
    statement = select(func.max(table.number)).where(table.incident_id == incident)
    return (session.scalar(statement) or 0) + 1


def _insert(
    session: Session, identity: str, opening: Opening, by: Provenance, now: datetime
) -> None:
    detected = opening.detected_at and stored_time(session, opening.detected_at)
    row = (
        identity,
        opening.title,
        opening.severity.value,
        opening.category,
        IncidentStatus.OPEN.value,
        by.actor,
        detected,
        stored_time(session, now),
    )
    # Two who open it at once both come here; the second finds the first one's.
    insert_rows(session, "incidents", _OPENED, [row], keep_existing=True)


def _locked(session: Session, incident: str) -> Incident:
    found = session.get(Incident, incident, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(f"there is no incident {incident}", hint="casework incident list")
    return found


def _is_recorded(session: Session, identity: str) -> bool:
    statement = select(col(LedgerEntry.id)).where(col(LedgerEntry.chain) == identity).limit(1)
    return session.scalar(statement) is not None


def _left_to_do(session: Session, incident: str) -> list[str]:
    tenures = tenures_of(session, incident)
    active = select(col(Hold.id)).where(
        col(Hold.incident_id) == incident, col(Hold.lifted_at).is_(None)
    )
    return unfinished(
        commanded=any(each.role is IncidentRole.COMMANDER for each in tenures),
        owed=[
            f"task {task.number} of {task.partner}" for task in owed(tasks_of(session, incident))
        ],
        holds=list(session.scalars(active.order_by(col(Hold.number)))),
    )


def _refusal(refused: Refused) -> Denied | Conflict:
    if refused.reason is Denial.CLOSED:
        return Conflict(refused.message, reason=str(refused.reason))
    return Denied(
        refused.message, reason=str(refused.reason), hint="casework people list says who may"
    )
