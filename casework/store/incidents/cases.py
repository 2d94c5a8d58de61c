"""Putting cases under an incident, and taking them out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from casework.errors import InputError
from casework.incidents.states import Operation
from casework.ledger.entries import Action, Provenance
from casework.store.cases import find_case
from casework.store.holds import wait_for_the_machine
from casework.store.incidents.lifecycle import entered, record
from casework.store.incidents.reading import attached
from casework.store.lookup import among
from casework.store.tables import Case, IncidentCase


def attach_cases(
    session: Session, incident: str, references: Sequence[str], by: Provenance, now: datetime
) -> list[str]:
    """Put cases, by id or ``source:external id``, under an incident; return those that are new.

    Raises:
        NotFound: there is no such incident, or no such case: then none is attached.
        Denied: this person may not.
        Conflict: the incident is closed.
    """
    entered(session, incident, Operation.ATTACH, by)
    wanted = _cases(session, references)
    new = sorted(wanted - set(attached(session, incident)))
    if not new:
        return []
    # A hold over the incident's cases grows with them.
    wait_for_the_machine(session)
    _lock(session, new)
    turns = _turns(session, incident, new)
    for case in new:
        turn = turns.get(case, 0) + 1
        row = IncidentCase(
            incident_id=incident, case_id=case, turn=turn, attached_at=now, attached_by=by.actor
        )
        session.add(row)
    data = {"cases": new}
    record(session, incident, Action.INCIDENT_CASE_ATTACHED, data, by, now, new)
    return new


def detach_cases(
    session: Session, incident: str, references: Sequence[str], by: Provenance, now: datetime
) -> list[str]:
    """Take cases out of an incident; return those that were in it. When they were stays known.

    Raises:
        NotFound: there is no such incident, or no such case: then none is detached.
        Denied: this person may not.
        Conflict: the incident is closed.
    """
    entered(session, incident, Operation.DETACH, by)
    gone = sorted(_cases(session, references) & set(attached(session, incident)))
    if not gone:
        return []
    _lock(session, gone)
    statement = select(IncidentCase).where(
        col(IncidentCase.incident_id) == incident,
        col(IncidentCase.detached_at).is_(None),
        among(session, col(IncidentCase.case_id), gone),
    )
    for row in session.scalars(statement):
        row.detached_at = now
        row.detached_by = by.actor
        session.add(row)
    data = {"cases": gone}
    record(session, incident, Action.INCIDENT_CASE_DETACHED, data, by, now, gone)
    return gone


def _cases(session: Session, references: Sequence[str]) -> set[str]:
    if not references:
        raise InputError("name at least one case", hint="casework cases list")
    return {find_case(session, reference).id for reference in references}


def _lock(session: Session, cases: Sequence[str]) -> None:
    """Hold the cases, whose chains are written to, in the order in which all writers do."""
    statement = select(col(Case.id)).where(among(session, col(Case.id), cases))
    session.execute(statement.order_by(col(Case.id)).with_for_update())


def _turns(session: Session, incident: str, cases: Sequence[str]) -> dict[str, int]:
    """How often each case has been under the incident."""
    case = col(IncidentCase.case_id)
    statement = select(case, func.count()).where(
        col(IncidentCase.incident_id) == incident, among(session, case, cases)
    )
    return {row[0]: row[1] for row in session.execute(statement.group_by(case))}
