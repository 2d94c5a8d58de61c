"""Giving roles in an incident to people, and what becomes of them."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.errors import Denied
from casework.gates import ActorKind
from casework.incidents.roles import (
    QUALIFIED,
    Handover,
    IncidentRole,
    Tenure,
    assume,
    renounce,
)
from casework.incidents.states import Denial, Operation
from casework.ledger.entries import Action, Provenance
from casework.store.incidents.lifecycle import entered, next_number, record
from casework.store.incidents.reading import tenures_of
from casework.store.people import answering
from casework.store.tables import IncidentTenure


def assume_role(
    session: Session,
    incident: str,
    role: IncidentRole,
    person: str,
    by: Provenance,
    now: datetime,
) -> bool:
    """Give a role to a person, who takes it over from whoever held it; False if they hold it.

    Raises:
        NotFound: there is no such incident.
        Denied: who asks may not, or the person is not one for this role.
        Conflict: the incident is closed.
    """
    entered(session, incident, Operation.ASSIGN, by)
    _check_qualified(session, role, person)
    change = assume(tenures_of(session, incident), role, person, now)
    if change.begun is None:
        return False
    _apply(session, incident, change, by, now)
    return True


def renounce_role(
    session: Session,
    incident: str,
    role: IncidentRole,
    person: str,
    by: Provenance,
    now: datetime,
) -> bool:
    """End a person's time in a role; False if they do not hold it. Anyone may give up their own.

    Raises:
        NotFound: there is no such incident.
        Denied: it is another's role, and who asks may not take it away.
        Conflict: the incident is closed.
    """
    entered(session, incident, Operation.RENOUNCE if person == by.actor else Operation.ASSIGN, by)
    change = renounce(tenures_of(session, incident), role, person, now)
    if change.ended is None:
        return False
    _apply(session, incident, change, by, now)
    return True


def _check_qualified(session: Session, role: IncidentRole, person: str) -> None:
    found = answering(session, person, ActorKind.PERSON)
    if found and found.active and not found.ended and found.roles & QUALIFIED[role]:
        return
    needed = ", ".join(sorted(QUALIFIED[role]))
    raise Denied(
        f"{person} cannot be {role.replace('_', ' ')}: that takes an active person who is {needed}",
        reason=str(Denial.NOT_QUALIFIED),
        hint="casework people list",
    )


def _apply(
    session: Session, incident: str, change: Handover, by: Provenance, now: datetime
) -> None:
    if change.ended:
        _end(session, incident, change.ended, by)
        data = {"role": str(change.ended.role), "person": change.ended.person}
        record(session, incident, Action.INCIDENT_ROLE_RENOUNCED, data, by, now)
    if change.begun:
        _begin(session, incident, change.begun, by)
        data = {"role": str(change.begun.role), "person": change.begun.person}
        record(session, incident, Action.INCIDENT_ROLE_ASSUMED, data, by, now)


def _end(session: Session, incident: str, tenure: Tenure, by: Provenance) -> None:
    statement = select(IncidentTenure).where(
        col(IncidentTenure.incident_id) == incident,
        col(IncidentTenure.role) == tenure.role,
        col(IncidentTenure.person) == tenure.person,
        col(IncidentTenure.renounced_at).is_(None),
    )
    row = session.scalars(statement).one()
    row.renounced_at = tenure.renounced_at
    row.renounced_by = by.actor
    session.add(row)
    # Before the next one begins: the database allows one at a time.
    session.flush()


def _begin(session: Session, incident: str, tenure: Tenure, by: Provenance) -> None:
    session.add(
        IncidentTenure(
            incident_id=incident,
            number=next_number(session, IncidentTenure, incident),
            role=tenure.role,
            person=tenure.person,
            assumed_at=tenure.assumed_at,
            assumed_by=by.actor,
        )
    )
    session.flush()
