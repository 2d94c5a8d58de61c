"""Writing and reading the ledger's entries."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, insert, select, text
from sqlmodel import Session, col

from casework.batches import in_batches
from casework.ledger.entries import Draft, Entry, Head, Provenance, chain
from casework.store.engine import is_sqlite
from casework.store.tables import LedgerEntry

#: Chains in one look-up; SQLite takes 32,766 variables at the most.
_LOOKUP = 10_000

#: Up to this many chains are locked one by one; more belong to cases their writer holds.
_LOCKED = 64


def append(session: Session, drafts: Sequence[Draft], by: Provenance, now: datetime) -> list[Entry]:
    """Add entries at the end of their chains, in the order given.

    A writer that appends to many cases at once must hold their rows locked; a lost race shows
    as a violation of the unique ``(chain, position)`` and undoes the whole transaction.
    """
    names = list(dict.fromkeys(draft.chain for draft in drafts))
    _lock(session, names)
    heads = _heads(session, names)
    entries = []
    for draft in drafts:
        entry, heads[draft.chain] = chain(draft, heads.get(draft.chain, Head()), by, now)
        entries.append(entry)
    if entries:
        session.execute(
            insert(LedgerEntry),
            [
                {
                    "chain": entry.chain,
                    "position": entry.position,
                    "action": entry.action,
                    "actor": entry.actor,
                    "at": entry.at,
                    "body": entry.body,
                    "digest": entry.digest,
                }
                for entry in entries
            ],
        )
    return entries


def entries_of(session: Session, chain_name: str) -> list[LedgerEntry]:
    """A chain's entries, oldest first."""
    statement = (
        select(LedgerEntry)
        .where(col(LedgerEntry.chain) == chain_name)
        .order_by(col(LedgerEntry.position))
    )
    return list(session.scalars(statement))


def _lock(session: Session, names: Sequence[str]) -> None:
    """Keep other writers off these chains until the transaction ends (PostgreSQL)."""
    if is_sqlite(session) or len(names) > _LOCKED:
        return
    for name in sorted(names):
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


def _heads(session: Session, names: Iterable[str]) -> dict[str, Head]:
    heads: dict[str, Head] = {}
    for batch in in_batches(names, _LOOKUP):
        last = (
            select(col(LedgerEntry.chain), func.max(col(LedgerEntry.position)).label("position"))
            .where(col(LedgerEntry.chain).in_(batch))
            .group_by(col(LedgerEntry.chain))
            .subquery()
        )
        rows = session.execute(
            select(col(LedgerEntry.chain), col(LedgerEntry.position), col(LedgerEntry.digest)).join(
                last,
                (col(LedgerEntry.chain) == last.c.chain)
                & (col(LedgerEntry.position) == last.c.position),
            )
        )
        heads.update({name: Head(position + 1, digest) for name, position, digest in rows})
    return heads
