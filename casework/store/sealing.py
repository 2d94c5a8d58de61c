"""Sealing: giving entries their place in the Merkle tree, and signing the tree's head.

There is one sealer at a time. It works in batches, each with its leaves and its checkpoint in one
transaction, so that every leaf is under a checkpoint and memory does not grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col

from casework.errors import LedgerFault, StoreError
from casework.ledger.checkpoint import Signer, Verifier
from casework.ledger.tree import Frontier, leaf_hash
from casework.store.bulk import insert_rows
from casework.store.engine import is_sqlite, reading, transaction
from casework.store.ledger import WRITERS_LOCK
from casework.store.tables import Checkpoint

#: Entries in one batch: about half a second of work, the longest that SQLite's writers wait.
BATCH: Final = 50_000

#: The sealer holds this advisory lock until its transaction ends (PostgreSQL).
_SEALER_LOCK: Final = 0x6361_7365_7365

#: How long the sealer waits for entries on their way (PostgreSQL); writers queue behind it.
_PATIENCE: Final = "200ms"

_UNSEALED: Final = text(
    "SELECT e.id, e.digest FROM ledger_entries e WHERE e.id > :after AND NOT EXISTS "
    "(SELECT 1 FROM ledger_leaves l WHERE l.entry_id = e.id) ORDER BY e.id LIMIT :size"
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a sealing did: new leaves, and the head that now stands."""

    added: int
    size: int
    root: str  # hexadecimal
    note: str


def seal(engine: Engine, signer: Signer, now: datetime, batch: int = BATCH) -> Sealed | None:
    """Seal every entry that is committed; return the last checkpoint, None for an empty ledger.

    The last checkpoint is trusted only after its signature was checked, and its frontier only
    where it makes the root that was signed.

    Raises:
        LedgerFault: the last checkpoint is not one this key signed, or was changed.
    """
    added = 0
    while True:
        quiet = _quiet_through(engine)
        with transaction(engine) as session:
            done = _seal_batch(session, signer, now, batch, quiet)
        added += done
        if done < batch:
            break
    with reading(engine) as session:
        last = last_checkpoint(session)
    return Sealed(added, last.size, last.root, last.note) if last else None


def last_checkpoint(session: Session) -> Checkpoint | None:
    """The newest checkpoint, not verified."""
    return session.scalars(select(Checkpoint).order_by(col(Checkpoint.size).desc())).first()


def checked_frontier(checkpoint: Checkpoint, verifier: Verifier) -> Frontier:
    """The tree at a stored checkpoint, once signature, columns and frontier agree.

    Raises:
        LedgerFault: they do not.
    """
    head = verifier.open(checkpoint.note)
    if (head.size, head.root.hex()) != (checkpoint.size, checkpoint.root):
        raise LedgerFault(
            f"checkpoint {checkpoint.size}: its row does not say what its note has signed"
        )
    try:
        frontier = Frontier(head.size, map(bytes.fromhex, checkpoint.frontier))
    except ValueError as error:
        raise LedgerFault(f"checkpoint {checkpoint.size}: its frontier is malformed") from error
    if frontier.root() != head.root:
        raise LedgerFault(f"checkpoint {checkpoint.size}: its frontier does not make its root")
    return frontier


def _seal_batch(
    session: Session, signer: Signer, now: datetime, batch: int, quiet: int | None
) -> int:
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEALER_LOCK})
    last = last_checkpoint(session)
    frontier = checked_frontier(last, signer.verifier) if last else Frontier()
    after = last.sealed_through if last else 0
    found = session.execute(_UNSEALED, {"after": after, "size": batch})
    rows = [(int(entry_id), str(digest)) for entry_id, digest in found]
    if not rows:
        return 0
    if is_sqlite(session):
        # This transaction holds the one write lock: no entry is on its way.
        quiet = rows[-1][0]
    _add_leaves(session, frontier, rows)
    through = max(after, min(quiet or 0, rows[-1][0]))
    _sign(session, frontier, signer, now, through)
    return len(rows)


def _add_leaves(session: Session, frontier: Frontier, rows: Sequence[tuple[int, str]]) -> None:
    leaves = [(index, *row) for index, row in enumerate(rows, frontier.size)]
    try:
        for _, digest in rows:
            frontier.append(leaf_hash(bytes.fromhex(digest)))
    except ValueError as error:
        raise LedgerFault("an entry's digest is not one: it was edited before sealing") from error
    insert_rows(session, "ledger_leaves", ("leaf_index", "entry_id", "digest"), leaves)


def _sign(
    session: Session, frontier: Frontier, signer: Signer, now: datetime, through: int
) -> None:
    root = frontier.root()
    session.execute(
        insert(Checkpoint),
        {
            "size": frontier.size,
            "root": root.hex(),
            "frontier": [subtree.hex() for subtree in frontier.hashes],
            "sealed_through": through,
            "note": signer.sign(frontier.size, root),
            "signed_at": now,
        },
    )


def _quiet_through(engine: Engine) -> int | None:
    """The newest entry's id at a moment when none was on its way; None where that did not come.

    PostgreSQL hands out ids before it commits, so that an entry can appear behind one that was
    sealed. Entries after the last quiet moment are looked through again for such late ones.
    """
    if engine.dialect.name == "sqlite":
        return None
    try:
        with transaction(engine) as session:
            session.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS_LOCK})
            found = session.execute(text("SELECT max(id) FROM ledger_entries")).scalar()
            return None if found is None else int(found)
    except StoreError as error:
        if isinstance(error.__cause__, OperationalError) and "lock timeout" in error.message:
            return None
        raise
