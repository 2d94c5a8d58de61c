"""Rows that could not become cases, and what people do about them."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import select
from sqlmodel import Session, col

from casework.ledger.entries import Action, Draft, Provenance
from casework.rows import BadRow
from casework.store.bulk import insert_rows, stored_time
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.tables import Quarantined

if TYPE_CHECKING:
    from casework.store.intake import Incoming

WAITING, RETRIED, DISCARDED = "waiting", "retried", "discarded"

_COLUMNS = (
    "id",
    "intake_id",
    "source",
    "line",
    "reason",
    "detail",
    "raw",
    "raw_size",
    "raw_digest",
    "mapping",
    "status",
    "quarantined_at",
)


def row_id(source: str, line: int, raw_digest: str) -> str:
    """The row's id, derived, so that reading a file twice quarantines a row once."""
    return "q" + sha256(f"{source}\x00{line}\x00{raw_digest}".encode()).hexdigest()[:20]


def keep_rows(
    session: Session,
    incoming: "Incoming",
    faults: Sequence[BadRow],
    by: Provenance,
    now: datetime,
) -> int:
    """Quarantine bad rows, each once.

    Returns:
        How many of them somebody has retried or discarded before: they wait no more.
    """
    if not faults:
        return 0
    named = {row_id(incoming.source, bad.line, bad.digest): bad for bad in faults}
    statement = select(col(Quarantined.id), col(Quarantined.status)).where(
        among(session, col(Quarantined.id), named)
    )
    known = dict(session.execute(statement).tuples().all())
    new = [(identity, bad) for identity, bad in named.items() if identity not in known]
    at, reading = stored_time(session, now), orjson.dumps(incoming.reading).decode()
    common = (reading, WAITING, at)
    where = (incoming.intake_id, incoming.source)
    rows = [
        (key, *where, b.line, str(b.reason), b.detail, b.raw, b.size, b.digest, *common)
        for key, b in new
    ]
    insert_rows(session, "quarantine", _COLUMNS, rows)
    append(session, [_quarantined(incoming, key, bad) for key, bad in new], by, now)
    return sum(1 for status in known.values() if status != WAITING)


def _quarantined(incoming: "Incoming", identity: str, bad: BadRow) -> Draft:
    data = {
        "row": identity,
        "line": bad.line,
        "reason": str(bad.reason),
        "size": bad.size,
        "digest": bad.digest,
    }
    return Draft(incoming.intake_id, Action.ROW_QUARANTINED, data)
