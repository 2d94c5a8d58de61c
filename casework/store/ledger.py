"""Writing and reading the ledger's entries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Select, select, text
from sqlmodel import Session, col

from casework.ledger.acts import acts, telling
from casework.ledger.entries import Draft, Entry, Head, Provenance, chain_all
from casework.store.bulk import insert_rows, stored_time
from casework.store.engine import is_sqlite
from casework.store.tables import LedgerEntry

#: Every writer holds this advisory lock, shared, until its transaction ends (PostgreSQL): whoever
#: gets it exclusively knows that no entry is on its way.
WRITERS_LOCK: Final = 0x6361_7365_6C67

#: Up to this many chains are locked one by one; more belong to cases their writer holds.
_LOCKED: Final = 64

_HEADS_SQLITE: Final = text(
    "SELECT e.chain, e.position + 1, e.digest FROM json_each(:names) n JOIN ledger_entries e "
    "ON e.chain = n.value AND e.position = "
    "(SELECT max(position) FROM ledger_entries WHERE chain = n.value)"
)
_HEADS_POSTGRES: Final = text(
    "SELECT n.name, e.position + 1, e.digest FROM unnest(CAST(:names AS text[])) n(name) "
    "CROSS JOIN LATERAL (SELECT position, digest FROM ledger_entries WHERE chain = n.name "
    "ORDER BY position DESC LIMIT 1) e"
)
_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock_shared(:key) UNION ALL "
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM "
    "(SELECT unnest(CAST(:names AS text[])) AS name ORDER BY 1) names"
)


def append(session: Session, drafts: Sequence[Draft], by: Provenance, now: datetime) -> list[Entry]:
    """Add entries at the end of their chains, in the order given.

    A writer that appends to many cases at once must hold their rows locked; a lost race shows
    as a violation of the unique ``(chain, position)`` and undoes the whole transaction.

    Raises:
        ValueError: a draft's data holds something JSON cannot carry exactly.
    """
    if not drafts:
        return []
    names = list(dict.fromkeys(draft.chain for draft in drafts))
    _lock(session, names)
    entries = chain_all(drafts, _heads(session, names), by, now)
    _insert(session, entries, by, now)
    return entries


def begin_chains(session: Session, entries: Sequence[Entry], by: Provenance, now: datetime) -> None:
    """Write the first entries of chains that have none yet: no head is looked up.

    A chain that has entries shows as a violation of the unique ``(chain, position)``.
    """
    _lock(session, ())
    _insert(session, entries, by, now)


def entries_of(session: Session, chain_name: str) -> list[LedgerEntry]:
    """A chain's entries, oldest first."""
    statement = (
        select(LedgerEntry)
        .where(col(LedgerEntry.chain) == chain_name)
        .order_by(col(LedgerEntry.position))
    )
    return list(session.scalars(statement))


def acts_of(session: Session, chain_name: str) -> list[dict[str, Any]]:
    """What happened on a chain, act by act, oldest first; each with the digest of its entry."""
    return [
        act | {"digest": entry.digest}
        for entry in entries_of(session, chain_name)
        for act in acts(entry.body)
    ]


def search_entries(
    session: Session,
    *,
    chain: str = "",
    actor: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
    unless: Select[tuple[str]] | None = None,
) -> list[LedgerEntry]:
    """Entries that match all that is given, the newest first, from the one before an id on.

    An ``action`` is looked for in the entries that tell several too. ``unless`` selects the chains
    that are left out.
    """
    statement = select(LedgerEntry).order_by(col(LedgerEntry.id).desc()).limit(limit)
    for column, value in (
        (LedgerEntry.chain, chain),
        (LedgerEntry.actor, actor),
    ):
        if value:
            statement = statement.where(col(column) == value)
    if action:
        statement = statement.where(col(LedgerEntry.action).in_(telling(action)))
    if unless is not None:
        statement = statement.where(col(LedgerEntry.chain).not_in(unless))
    if since is not None:
        statement = statement.where(col(LedgerEntry.at) >= since)
    if until is not None:
        statement = statement.where(col(LedgerEntry.at) < until)
    if before is not None:
        statement = statement.where(col(LedgerEntry.id) < before)
    return list(session.scalars(statement))


def _lock(session: Session, names: Sequence[str]) -> None:
    """Keep other writers off these chains until the transaction ends (PostgreSQL)."""
    if is_sqlite(session):
        return
    one_by_one = list(names) if len(names) <= _LOCKED else []
    session.execute(_LOCK, {"key": WRITERS_LOCK, "names": one_by_one})


def _heads(session: Session, names: Sequence[str]) -> dict[str, Head]:
    """The ends of those chains that exist."""
    if is_sqlite(session):
        rows = session.execute(_HEADS_SQLITE, {"names": orjson.dumps(names).decode()})
    else:
        rows = session.execute(_HEADS_POSTGRES, {"names": list(names)})
    return {name: Head(position, digest) for name, position, digest in rows}


def _insert(session: Session, entries: Sequence[Entry], by: Provenance, now: datetime) -> None:
    shared = {"actor": by.actor, "at": stored_time(session, now)}
    insert_rows(session, "ledger_entries", Entry._fields, entries, shared=shared)
