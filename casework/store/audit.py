"""Verifying the stored ledger from end to end, in one view of the database and little memory."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from heapq import merge
from itertools import chain as chained
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Engine, func, select, text
from sqlmodel import Session, col

from casework.errors import LedgerFault
from casework.ledger.checkpoint import Head, Verifier
from casework.ledger.verify import (
    ChainChecker,
    ChainRow,
    Fault,
    FaultKind,
    LeafRow,
    Report,
    TreeChecker,
)
from casework.store.engine import is_sqlite, reading
from casework.store.sealing import last_checkpoint
from casework.store.tables import Checkpoint, LedgerEntry, LedgerLeaf

#: Rows fetched at a time.
_PAGE: Final = 5_000

_CHAINS: Final = (
    "SELECT id, chain, position, action, actor, {at}, body, digest FROM ledger_entries "
    "ORDER BY chain, position"
)
#: Times as entries write them.
_AT_SQLITE: Final = "replace(at, ' ', 'T') || 'Z'"
_AT_POSTGRES: Final = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

_LEAVES: Final = (
    "SELECT l.leaf_index, l.entry_id, l.digest, e.digest FROM ledger_leaves l "
    "LEFT JOIN ledger_entries e ON e.id = l.entry_id ORDER BY l.leaf_index"
)
_GONE: Final = text(
    "SELECT min(l.leaf_index) FROM ledger_leaves l WHERE NOT EXISTS "
    "(SELECT 1 FROM ledger_entries e WHERE e.id = l.entry_id)"
)
_BEHIND: Final = text(
    "SELECT min(e.id) FROM ledger_entries e WHERE e.id <= (SELECT max(sealed_through) "
    "FROM checkpoints) AND NOT EXISTS (SELECT 1 FROM ledger_leaves l WHERE l.entry_id = e.id)"
)


def verify(
    engine: Engine,
    key: Verifier,
    *,
    witnessed: Sequence[str] = (),
    allow_unsealed: bool = True,
) -> Report:
    """Check the whole ledger; the report names the first fault and where it is.

    The order is: signatures of all checkpoints, chains, count, tree, unsealed entries.
    ``witnessed`` are checkpoint notes that someone kept elsewhere: with them a history cut back
    to an older checkpoint, or rewritten and signed anew, shows too.

    Raises:
        LedgerFault: a witnessed note is not one that this key signed.
    """
    kept = sorted((key.open(note) for note in witnessed), key=attrgetter("size"))
    checker = ChainChecker()
    with reading(engine) as session:
        one_view(session)
        fault = (
            _unsigned(session, key)
            or checker.fault_in(chain_rows(session))
            or _short(session, kept)
            or TreeChecker(_heads(session, key, kept)).fault_in(leaf_rows(session))
            or _behind(session)
        )
        return _report(session, checker, fault, allow_unsealed)


def _report(
    session: Session, checker: ChainChecker, fault: Fault | None, allow_unsealed: bool
) -> Report:
    entries, leaves = _count(session, LedgerEntry), _count(session, LedgerLeaf)
    unsealed = max(entries - leaves, 0)
    if fault is None and unsealed and not allow_unsealed:
        fault = Fault(FaultKind.UNSEALED, f"after leaf {leaves}", f"{unsealed} are not sealed")
    last = last_checkpoint(session)
    return Report(
        entries=entries,
        chains=checker.chains,
        sealed=leaves,
        unsealed=unsealed,
        checkpoints=_count(session, Checkpoint),
        root=last.root if last else None,
        fault=fault,
    )


def chain_rows(session: Session) -> Iterator[ChainRow]:
    """Every entry, chain by chain."""
    at = _AT_SQLITE if is_sqlite(session) else _AT_POSTGRES
    return map(ChainRow._make, stream(session, _CHAINS.format(at=at)))


def leaf_rows(session: Session) -> Iterator[LeafRow]:
    """Every leaf, in order, with the digest of its entry."""
    return map(LeafRow._make, stream(session, _LEAVES))


def one_view(session: Session) -> None:
    """Read everything as of one moment, while others write on; call it before reading."""
    if not is_sqlite(session):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def stream(session: Session, statement: str) -> Iterator[Any]:
    """Rows of a statement, a page at a time."""
    options = {"stream_results": True, "yield_per": _PAGE}
    result = session.connection().exec_driver_sql(statement, execution_options=options)
    # A fault ends the reading early: the server's cursor is closed all the same.
    with closing(result):
        yield from chained.from_iterable(result.partitions(_PAGE))


def _count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _unsigned(session: Session, key: Verifier) -> Fault | None:
    """The first checkpoint that the key did not sign as it stands there."""
    for size, root, note in stream(session, "SELECT size, root, note FROM checkpoints ORDER BY 1"):
        message = None
        try:
            head = key.open(note)
        except LedgerFault as error:
            message = error.message
        else:
            if (head.size, head.root.hex()) != (size, root):
                message = "its row does not say what its note has signed"
        if message:
            return Fault(FaultKind.SIGNATURE, f"checkpoint {size}", message)
    return None


def _heads(session: Session, key: Verifier, kept: Sequence[Head]) -> Iterator[Head]:
    """The heads in the store, whose signatures were checked, and those kept elsewhere."""
    stored = (
        Head(key.name, size, bytes.fromhex(root))
        for size, root in stream(session, "SELECT size, root FROM checkpoints ORDER BY size")
    )
    return merge(stored, kept, key=attrgetter("size"))


def _short(session: Session, kept: Sequence[Head]) -> Fault | None:
    """Whether the store holds fewer entries than a checkpoint vouches for."""
    sizes = [head.size for head in kept]
    stored = session.scalar(select(func.max(col(Checkpoint.size)))) or 0
    size, entries = max([stored, *sizes]), _count(session, LedgerEntry)
    if entries >= size:
        return None
    gone = session.execute(_GONE).scalar()
    where = f"checkpoint {size}" + ("" if gone is None else f", first at leaf {gone}")
    return Fault(FaultKind.COUNT, where, f"it vouches for {size} entries, {entries} are there")


def _behind(session: Session) -> Fault | None:
    """An entry that was put in behind those that were sealed."""
    found = session.execute(_BEHIND).scalar()
    if found is None:
        return None
    return Fault(FaultKind.UNSEALED, f"entry {found}", "it was put in behind the sealed ones")
