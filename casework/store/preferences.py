"""How people want marked evidence shown to them."""

from datetime import datetime

from sqlmodel import Session

from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.ledger import append
from casework.store.tables import Preference


def preference_of(session: Session, person: str, now: datetime) -> Preference:
    """What somebody prefers; in grey and sharp where they never said."""
    return session.get(Preference, person) or Preference(person=person, changed_at=now)


def prefer(
    session: Session, *, greyscale: bool, blur: bool, by: Provenance, now: datetime
) -> Preference:
    """Keep what somebody prefers."""
    kept = session.get(Preference, by.actor, with_for_update=True)
    kept = kept or Preference(person=by.actor, changed_at=now)
    kept.greyscale, kept.blur, kept.changed_at = greyscale, blur, now
    session.add(kept)
    data = {"person": by.actor, "greyscale": greyscale, "blur": blur}
    append(session, [Draft(SYSTEM, Action.PREFERENCE_SET, data)], by, now)
    return kept
