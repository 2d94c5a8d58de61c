"""Sending status updates: through the outbox, to destinations of the bundle, once to each."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.effects import Effect, EffectKind
from casework.errors import NotFound
from casework.incidents.audiences import Audience, check_destinations
from casework.ledger.entries import Action, Provenance
from casework.policy.model import Bundle
from casework.store.incidents.lifecycle import record
from casework.store.lookup import among
from casework.store.outbox import enqueue
from casework.store.tables import Incident, IncidentUpdate, QueuedEffect


def send_update(
    session: Session,
    update: IncidentUpdate,
    to: Sequence[str],
    bundle: Bundle,
    by: Provenance,
    now: datetime,
) -> int:
    """Queue an update, as it was told, for destinations that have not been sent it yet.

    What is sent is the text that is kept. Each destination gets the updates of an incident in
    their order. Whoever calls has ruled that this person may tell it.

    Returns:
        How many destinations are new.

    Raises:
        InputError: a destination is not there, or may not be sent this.
    """
    names = sorted(set(to))
    check_destinations(bundle, Audience(update.audience), names)
    effects = [_effect(session, update, name) for name in names]
    queued = enqueue(session, effects, by, now)
    if queued:
        data = {"update": update.number, "audience": update.audience, "to": names}
        record(session, update.incident_id, Action.INCIDENT_UPDATE_QUEUED, data, by, now)
    return queued


def update_text(session: Session, effect: Effect) -> str:
    """The text of the update that an effect tells.

    Raises:
        NotFound: there is no such update.
    """
    named = (effect.data.get("incident"), effect.data.get("update"))
    found = session.get(IncidentUpdate, named)
    if found is None:
        raise NotFound(f"there is no update {named[1]} of incident {named[0]}")
    return found.text


def _effect(session: Session, update: IncidentUpdate, destination: str) -> Effect:
    return Effect(
        key=_key(update.incident_id, update.number, destination),
        kind=EffectKind.NOTIFY,
        destination=destination,
        data={
            "incident": update.incident_id,
            "update": update.number,
            "audience": update.audience,
            "severity": session.get_one(Incident, update.incident_id).severity,
        },
        after=_before(session, update, destination),
    )


def _before(session: Session, update: IncidentUpdate, destination: str) -> str | None:
    """The key of the update before this one that goes to the same destination."""
    keys = [
        _key(update.incident_id, number, destination) for number in range(update.number - 1, 0, -1)
    ]
    statement = select(col(QueuedEffect.key)).where(among(session, col(QueuedEffect.key), keys))
    queued = set(session.scalars(statement))
    return next((key for key in keys if key in queued), None)


def _key(incident: str, number: int, destination: str) -> str:
    return f"update:{incident}:{number}:{destination}"
