"""Reading the sealed ledger, or one case of it, with the proofs that stand alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Engine, select, text
from sqlmodel import Session, col

from casework.errors import LedgerFault, NotFound
from casework.ledger.checkpoint import Verifier
from casework.ledger.export import entry_line, header_line
from casework.ledger.redaction import redacted
from casework.ledger.tree import Tree, leaf_hash
from casework.qa.pseudonyms import Naming
from casework.store.audit import one_view, stream
from casework.store.engine import reading
from casework.store.sealing import checked_frontier, last_checkpoint
from casework.store.tables import LedgerEntry, Person

_ALL: Final = (
    "SELECT l.leaf_index, e.body FROM ledger_leaves l JOIN ledger_entries e ON e.id = l.entry_id "
    "ORDER BY l.leaf_index"
)
_CASE: Final = text(
    "SELECT l.leaf_index, e.body FROM ledger_entries e JOIN ledger_leaves l ON l.entry_id = e.id "
    "WHERE e.chain = :chain ORDER BY e.position"
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds, and how many entries it left out as not sealed yet."""

    entries: int
    size: int
    unsealed: int

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def export(
    engine: Engine,
    key: Verifier,
    write: Callable[[bytes], object],
    case: str | None = None,
    naming: Naming | None = None,
) -> Exported:
    """Write the sealed entries, or those of one case, as lines with their proofs.

    With ``naming`` people's ids are replaced in them.

    The tree is held in memory: some 64 bytes for each entry of the whole ledger.

    Raises:
        NotFound: nothing is sealed yet, or nothing of that case.
        LedgerFault: the ledger does not verify, so that no proof would.
    """
    with reading(engine) as session:
        one_view(session)
        last = last_checkpoint(session)
        if last is None:
            raise NotFound("nothing is sealed yet", hint="run: casework audit checkpoint")
        head = checked_frontier(last, key)
        tree = _tree(session)
        if (tree.size, tree.root()) != (head.size, head.root()):
            raise LedgerFault("the ledger does not verify", hint="run: casework audit verify")
        count, unsealed = _counts(session, case, tree.size)
        write(header_line(key, last.note, case, count, pseudonyms=naming is not None))
        names = None if naming is None else _names(session, naming)
        for leaf, body in _rows(session, case):
            write(_line(leaf, body, tree.inclusion(leaf), names))
    return Exported(entries=count, size=head.size, unsealed=unsealed)


def _line(leaf: int, body: str, proof: Sequence[bytes], names: Mapping[str, str] | None) -> bytes:
    if names is None:
        return entry_line(leaf, body, proof)
    return entry_line(leaf, redacted(body, names), proof, sha256(body.encode()).hexdigest())


def _names(session: Session, naming: Naming) -> dict[str, str]:
    """The pseudonyms of everybody there is, and of whoever else has acted as a person."""
    known = set(session.scalars(select(col(Person.id))))
    acted = (
        select(col(LedgerEntry.actor))
        .distinct()
        .where(~col(LedgerEntry.actor).startswith("casework:"))
    )
    return {person: naming(person) for person in sorted(known | set(session.scalars(acted)))}


def _tree(session: Session) -> Tree:
    rows = stream(session, "SELECT digest FROM ledger_leaves ORDER BY leaf_index")
    return Tree(leaf_hash(bytes.fromhex(digest)) for (digest,) in rows)


def _rows(session: Session, case: str | None) -> Iterator[Any]:
    if case is None:
        return stream(session, _ALL)
    return iter(session.execute(_CASE, {"chain": case}))


def _counts(session: Session, case: str | None, size: int) -> tuple[int, int]:
    """How many entries are sealed, and how many are not."""
    if case is None:
        entries = session.execute(text("SELECT count(*) FROM ledger_entries")).scalar() or 0
        return size, entries - size
    entries = len(session.execute(_OF_CASE, {"chain": case}).all())
    count = len(session.execute(_CASE, {"chain": case}).all())
    if not count:
        raise NotFound(f"nothing of case {case} is sealed", hint="run: casework audit checkpoint")
    return count, entries - count


_OF_CASE: Final = text("SELECT id FROM ledger_entries WHERE chain = :chain")
