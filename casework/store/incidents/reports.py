"""Reports of incidents: kept as they stood at the closing, and noted where they are shown."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.canonical import digest
from casework.errors import NotFound
from casework.incidents.report import report
from casework.incidents.states import IncidentStatus
from casework.ledger.entries import Action, Provenance
from casework.store.incidents.lifecycle import close_incident, record
from casework.store.incidents.story import story_of
from casework.store.tables import Incident, IncidentReport, LedgerEntry


def sign_off(session: Session, incident: str, by: Provenance, now: datetime) -> IncidentReport:
    """Close an incident and keep its report; closing twice gives the report kept before.

    Raises:
        NotFound: there is no such incident.
        Denied: this person may not.
        Conflict: it is not resolved, or something is left to do, and what.
    """
    if not close_incident(session, incident, by, now):
        return report_at_closing(session, incident)
    session.flush()
    markdown = report(story_of(session, incident), now, words=True)
    kept = IncidentReport(
        incident_id=incident, markdown=markdown, digest=digest(markdown), made_at=now
    )
    session.add(kept)
    session.flush()
    record(session, incident, Action.INCIDENT_REPORTED, {"report_digest": kept.digest}, by, now)
    return kept


def report_at_closing(session: Session, incident: str) -> IncidentReport:
    """The report as it stood when the incident was closed.

    Raises:
        NotFound: there is none: the incident is not closed, or does not exist.
    """
    kept = session.get(IncidentReport, incident)
    if kept is None:
        raise NotFound(
            f"no closed incident {incident}", hint="casework incident list --status closed"
        )
    return kept


def unpublished(session: Session) -> list[str]:
    """Closed incidents to which something was added since their report was last published."""
    last = (
        select(col(LedgerEntry.action))
        .where(col(LedgerEntry.chain) == col(Incident.id))
        .order_by(col(LedgerEntry.position).desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(col(Incident.id)).where(
        col(Incident.status) == IncidentStatus.CLOSED, last != Action.INCIDENT_PUBLISHED
    )
    return list(session.scalars(statement.order_by(col(Incident.id))))


def note_publication(
    session: Session, incident: str, report_digest: str, by: Provenance, now: datetime
) -> None:
    """Record that a report, of this digest and without text, has become an artifact.

    Raises:
        NotFound: there is no such incident.
    """
    if session.get(Incident, incident, with_for_update=True) is None:
        raise NotFound(f"there is no incident {incident}", hint="casework incident list")
    data = {"report_digest": report_digest}
    record(session, incident, Action.INCIDENT_PUBLISHED, data, by, now)
