"""Reading what belongs to an incident, in the shapes of the pure functions."""

from typing import Any, TypeVar

from sqlalchemy import select
from sqlmodel import Session, col

from casework.incidents.partner_tasks import PartnerTask
from casework.incidents.roles import IncidentRole, Tenure
from casework.store.tables import IncidentCase, IncidentTask, IncidentTenure

T = TypeVar("T")


def numbered(session: Session, table: type[T], incident: str) -> list[T]:
    """An incident's rows of a table that numbers them, in order."""
    rows: Any = table
    statement = select(table).where(rows.incident_id == incident).order_by(rows.number)
    return list(session.scalars(statement))


def by_key(session: Session, table: type[T], incident: str, key: str) -> T | None:
    """An incident's row of a table by the key it was written under; None where there is none."""
    rows: Any = table
    return session.scalar(select(table).where(rows.incident_id == incident, rows.key == key))


def tenures_of(session: Session, incident: str) -> list[Tenure]:
    """Who held which role, in the order they took it."""
    return [
        Tenure(IncidentRole(row.role), row.person, row.assumed_at, row.renounced_at)
        for row in numbered(session, IncidentTenure, incident)
    ]


def tasks_of(session: Session, incident: str) -> list[PartnerTask]:
    """What partner teams were asked for, in order."""
    shared = PartnerTask.__dataclass_fields__
    return [
        PartnerTask(**{name: getattr(row, name) for name in shared})
        for row in numbered(session, IncidentTask, incident)
    ]


def attached(session: Session, incident: str) -> list[str]:
    """The cases that are under an incident now, by id."""
    statement = (
        select(col(IncidentCase.case_id))
        .where(col(IncidentCase.incident_id) == incident)
        .where(col(IncidentCase.detached_at).is_(None))
        .order_by(col(IncidentCase.case_id))
    )
    return list(session.scalars(statement))


def incidents_of_case(session: Session, case: str) -> list[IncidentCase]:
    """A case's times under incidents, the earliest first."""
    statement = (
        select(IncidentCase)
        .where(col(IncidentCase.case_id) == case)
        .order_by(col(IncidentCase.attached_at), col(IncidentCase.incident_id))
    )
    return list(session.scalars(statement))
