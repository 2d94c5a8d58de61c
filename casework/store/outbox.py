"""What is to be sent outside, written in the transaction of what caused it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import select
from sqlmodel import Session, col

from casework.effects import Effect
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.bulk import insert_rows, stored_times
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.tables import OutboxRow

_ROW: Final = (
    "key",
    "kind",
    "destination",
    "case_id",
    "data",
    "not_before",
    "status",
    "queued_at",
)


def enqueue(session: Session, effects: Sequence[Effect], by: Provenance, now: datetime) -> int:
    """Keep effects that are to be sent, each key once; return how many were new."""
    if not effects:
        return 0
    by_key = {effect.key: effect for effect in effects}
    known = set(
        session.scalars(
            select(col(OutboxRow.key)).where(among(session, col(OutboxRow.key), by_key))
        )
    )
    new = [effect for key, effect in by_key.items() if key not in known]
    stored = stored_times(session)
    rows = [
        (
            effect.key,
            effect.kind.value,
            effect.destination,
            effect.case_id,
            orjson.dumps(dict(effect.data)).decode(),
            None if effect.not_before is None else stored(effect.not_before),
            "waiting",
            stored(now),
        )
        for effect in new
    ]
    insert_rows(session, "outbox", _ROW, rows, keep_existing=True)
    drafts = [
        Draft(
            effect.case_id or SYSTEM,
            Action.EFFECT_QUEUED,
            {"effect": effect.key, "kind": str(effect.kind), "destination": effect.destination},
        )
        for effect in new
    ]
    append(session, drafts, by, now)
    return len(new)
