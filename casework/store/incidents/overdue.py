"""Partner tasks whose time is over: their incident's people are told once of each."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.effects import Effect, EffectKind
from casework.ledger.entries import Provenance, timestamp
from casework.store.outbox import enqueue
from casework.store.tables import IncidentTask


def tell_overdue(session: Session, destination: str, by: Provenance, now: datetime) -> int:
    """Queue a notice of every partner task that is overdue and of which none was queued yet.

    Returns:
        How many notices are new.
    """
    statement = select(IncidentTask).where(
        col(IncidentTask.due) < now,
        col(IncidentTask.done_at).is_(None),
        col(IncidentTask.cancelled_at).is_(None),
    )
    late = [_notice(task, destination) for task in session.scalars(statement)]
    return enqueue(session, late, by, now)


def _notice(task: IncidentTask, destination: str) -> Effect:
    """Told again elsewhere where another destination is named; ids and a team, never what it is."""
    about = {"incident": task.incident_id, "task": task.number, "partner": task.partner}
    return Effect(
        key=f"overdue:{task.incident_id}:{task.number}:{destination}",
        kind=EffectKind.NOTIFY,
        destination=destination,
        data={**about, "due": timestamp(task.due)},
    )
