"""Rows that could not become cases, and what people do about them."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from casework.errors import Conflict, InputError, NotFound
from casework.ledger.entries import Action, Draft, Provenance
from casework.rows import BadRow
from casework.store.bulk import insert_rows, stored_time
from casework.store.incoming import Incoming
from casework.store.keyset import behind
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.tables import Quarantined

WAITING: Final = "waiting"
RETRIED: Final = "retried"
DISCARDED: Final = "discarded"

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
    incoming: Incoming,
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
    known: dict[str, str] = {row.id: row.status for row in session.execute(statement)}
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


def _quarantined(incoming: Incoming, identity: str, bad: BadRow) -> Draft:
    data = {
        "row": identity,
        "line": bad.line,
        "reason": str(bad.reason),
        "size": bad.size,
        "digest": bad.digest,
    }
    return Draft(incoming.intake_id, Action.ROW_QUARANTINED, data)


def list_rows(
    session: Session,
    *,
    status: str | None = WAITING,
    source: str | None = None,
    reason: str | None = None,
    intake_id: str | None = None,
    limit: int = 50,
    offset: int = 0,
    after: str = "",
) -> list[Quarantined]:
    """Quarantined rows that match all filters, the oldest first, from behind the row ``after``."""
    statement = select(Quarantined).options(defer(Quarantined.raw))  # type: ignore[arg-type]
    for column, value in (
        (Quarantined.status, status),
        (Quarantined.source, source),
        (Quarantined.reason, reason),
        (Quarantined.intake_id, intake_id),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    order = (col(Quarantined.quarantined_at), col(Quarantined.line), col(Quarantined.id))
    if after:
        statement = behind(session, statement, order, col(Quarantined.id) == after, after)
    return list(session.scalars(statement.order_by(*order).limit(limit).offset(offset)))


def row_by_id(session: Session, identity: str, *, lock: bool = False) -> Quarantined:
    """One quarantined row.

    Raises:
        NotFound: there is no such row.
    """
    found = session.get(Quarantined, identity, with_for_update=lock, populate_existing=lock)
    if found is None:
        raise NotFound(f"there is no quarantined row {identity}", hint="casework quarantine list")
    return found


def reasons_of(session: Session, intake_id: str) -> dict[str, int]:
    """How many rows an intake quarantined for each reason."""
    statement = (
        select(col(Quarantined.reason), func.count())
        .where(col(Quarantined.intake_id) == intake_id)
        .group_by(col(Quarantined.reason))
        .order_by(col(Quarantined.reason))
    )
    return {row.reason: row[1] for row in session.execute(statement)}


def discard_row(
    session: Session, identity: str, reason: str, by: Provenance, now: datetime
) -> Quarantined:
    """Give a row up, for a reason that stays in the history.

    Raises:
        NotFound: there is no such row.
        Conflict: it waits no more.
        InputError: no reason is given.
    """
    if not reason.strip():
        raise InputError("a row is discarded for a reason", hint='--reason "..."')
    row = waiting_row(session, identity)
    data = {"reason": reason.strip()}
    resolve(session, row, DISCARDED, Action.ROW_DISCARDED, data, by, now)
    return row


def waiting_row(session: Session, identity: str) -> Quarantined:
    """One row that still waits, locked.

    Raises:
        NotFound: there is no such row.
        Conflict: it waits no more.
    """
    row = row_by_id(session, identity, lock=True)
    if row.status != WAITING:
        raise Conflict(f"row {identity} has been {row.status} by {row.resolved_by}")
    return row


def resolve(
    session: Session,
    row: Quarantined,
    status: str,
    action: Action,
    data: dict[str, Any],
    by: Provenance,
    now: datetime,
) -> None:
    """Say what became of a row, in the store and in the history of its intake."""
    row.status, row.resolved_at, row.resolved_by = status, now, by.actor
    session.add(row)
    session.flush()
    append(session, [Draft(row.intake_id, action, {"row": row.id, **data})], by, now)
