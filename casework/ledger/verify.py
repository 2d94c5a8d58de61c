"""Checking a ledger as it streams past: each chain's links, then the tree under its checkpoints.

Both checkers take rows in order and answer a fault at the first that does not fit; they hold the
end of one chain and a hash for each level of the tree, whatever the ledger's length.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from casework.ledger.checkpoint import Head as TreeHead
from casework.ledger.entries import GENESIS
from casework.ledger.tree import Frontier


class FaultKind(StrEnum):
    """What does not hold."""

    SIGNATURE = "signature"  # a checkpoint is not what the key signed
    CHAIN = "chain"  # an entry was edited, taken out, put in or moved
    COUNT = "count"  # fewer entries than a checkpoint vouches for
    TREE = "tree"  # the entries are not those the tree was built over
    UNSEALED = "unsealed"  # entries that no checkpoint vouches for, and one should


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that does not hold, and where."""

    kind: FaultKind
    where: str
    message: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.kind} fault at {self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification looked at and what it found. ``fault`` is None where all holds."""

    entries: int
    chains: int
    sealed: int
    unsealed: int
    checkpoints: int
    root: str | None  # of the last checkpoint, in hexadecimal
    fault: Fault | None

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"verified": self.fault is None, **asdict(self)}


class ChainRow(NamedTuple):
    """An entry's columns, as the store holds them."""

    id: int
    chain: str
    position: int
    action: str
    actor: str
    at: str  # as ``entries.timestamp`` writes it
    body: str
    digest: str


class LeafRow(NamedTuple):
    """A leaf with the entry it stands for; the entry's digest is None where it is gone."""

    leaf_index: int
    entry_id: int
    digest: str
    entry_digest: str | None


class ChainChecker:
    """Checks entries that come chain by chain, each in the order of its positions."""

    def __init__(self) -> None:
        self.entries = 0
        self.chains = 0
        self._chain: str | None = None
        self._position = 0
        self._previous = GENESIS

    def fault_in(self, rows: Iterable[ChainRow]) -> Fault | None:
        """The first entry that does not fit; None where all do."""
        for row in rows:
            if message := self._fault_of(row):
                where = f"chain {row.chain}, position {row.position} (entry {row.id})"
                return Fault(FaultKind.CHAIN, where, message)
        return None

    def _fault_of(self, row: ChainRow) -> str | None:
        if row.chain != self._chain:
            self._chain, self._position, self._previous = row.chain, 0, GENESIS
            self.chains += 1
        self.entries += 1
        if row.position != self._position:
            return f"position {self._position} is missing"
        if type(row.body) is not str:
            return "its body is not text"
        digest = sha256(row.body.encode()).hexdigest()
        if digest != row.digest:
            return "its body does not have its digest: it was edited"
        message = _disagreement(row, self._previous)
        self._position, self._previous = row.position + 1, digest
        return message


def _disagreement(row: ChainRow, previous: str) -> str | None:
    """What an entry's body says differently from its place and its columns."""
    try:
        said = orjson.loads(row.body)
    except orjson.JSONDecodeError:
        return "its body is not JSON"
    if not isinstance(said, dict):
        return "its body is not an entry"
    if said.get("previous") != previous:
        return "it does not name the digest of the entry before it"
    columns = (row.chain, row.position, row.action, row.actor, row.at)
    body = tuple(map(said.get, _REPEATED))
    if body != columns:
        differing = [name for name, a, b in zip(_REPEATED, body, columns, strict=True) if a != b]
        return f"its column {differing[0]} does not say what its body says"
    return None


_REPEATED: Final = ("chain", "position", "action", "actor", "at")


class TreeChecker:
    """Checks leaves that come in order against the heads that were signed, smallest first."""

    def __init__(self, heads: Iterable[TreeHead]) -> None:
        self.frontier = Frontier()
        self._heads = iter(heads)
        self._next = next(self._heads, None)

    def fault_in(self, rows: Iterable[LeafRow]) -> Fault | None:
        """The first leaf or checkpoint that does not fit; None where all do."""
        for row in rows:
            if message := self._fault_of(row):
                return Fault(
                    FaultKind.TREE, f"leaf {row.leaf_index} (entry {row.entry_id})", message
                )
            # The leaf's data is the entry's digest.
            self.frontier.append(sha256(b"\x00" + bytes.fromhex(row.digest)).digest())
            while self._next is not None and self._next.size <= self.frontier.size:
                if fault := self._fault_of_head(self._next):
                    return fault
                self._next = next(self._heads, None)
        return self._fault_of_end()

    def _fault_of(self, row: LeafRow) -> str | None:
        if self._next is None:
            return "no checkpoint vouches for it"
        if row.leaf_index != self.frontier.size:
            return f"leaf {self.frontier.size} is missing"
        if row.entry_digest is None:
            return "the entry it stands for is gone"
        if row.entry_digest != row.digest:
            return "its digest is not that of the entry it stands for"
        return None

    def _fault_of_head(self, head: TreeHead) -> Fault | None:
        if self.frontier.root() == head.root:
            return None
        return Fault(
            FaultKind.TREE,
            f"checkpoint {head.size}",
            "the entries do not make the root it was signed with: history was rewritten",
        )

    def _fault_of_end(self) -> Fault | None:
        if self._next is None:
            return None
        where = f"checkpoint {self._next.size}"
        return Fault(FaultKind.TREE, where, f"leaf {self.frontier.size} is missing")
