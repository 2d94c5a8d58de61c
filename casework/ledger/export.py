"""Exports: entries with their inclusion proofs, to be checked without the database.

An export is JSON lines. The first is the header: format, verifier key, signed checkpoint, the case
if it is of one alone, and how many entries follow. Each other line is one entry: the index of its
leaf, its body as it was chained, and its audit path in base64, from the bottom up.

An export with pseudonyms has bodies in which people's ids are replaced. Their digest would not be
the one that is proved, so each line carries that of the entry as it was chained.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from casework.errors import CaseworkError, LedgerFault
from casework.ledger.checkpoint import Head, Verifier, parse_verifier
from casework.ledger.entries import GENESIS
from casework.ledger.tree import leaf_hash, root_from_inclusion

FORMAT: Final = "casework-ledger/1"
PSEUDONYMOUS: Final = "casework-ledger/1-pseudonyms"


class Header(BaseModel):
    """The first line of an export."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["casework-ledger/1", "casework-ledger/1-pseudonyms"] = FORMAT
    verifier: str
    checkpoint: str
    case: str | None
    entries: Annotated[int, Field(ge=0)]


class Line(BaseModel):
    """One entry of an export."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    leaf: Annotated[int, Field(ge=0)]
    body: str
    proof: list[Annotated[str, StringConstraints(min_length=44, max_length=44)]]
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What a good export holds. ``key_given`` is False where the key came from the file itself.

    ``pseudonyms``: that the entries stand there in this order is proved, and not what they say.
    """

    entries: int
    size: int
    root: str
    origin: str
    case: str | None
    verifier: str
    key_given: bool
    pseudonyms: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"verified": True, **asdict(self)}


def header_line(
    verifier: Verifier, note: str, case: str | None, entries: int, *, pseudonyms: bool = False
) -> bytes:
    """Write the first line of an export."""
    header = Header(
        format=PSEUDONYMOUS if pseudonyms else FORMAT,
        verifier=str(verifier),
        checkpoint=note,
        case=case,
        entries=entries,
    )
    return orjson.dumps(header.model_dump()) + b"\n"


def entry_line(leaf: int, body: str, proof: Sequence[bytes], digest: str | None = None) -> bytes:
    """Write the line of an entry; ``digest`` is what is proved where the body has pseudonyms."""
    steps = [b64encode(step).decode() for step in proof]
    line = {"leaf": leaf, "body": body, "proof": steps}
    return orjson.dumps(line if digest is None else line | {"digest": digest}) + b"\n"


def verify_export(lines: Iterable[bytes], key: Verifier | None = None) -> ExportReport:
    """Check an export: the checkpoint's signature, every chain and every proof.

    Without ``key``, the one in the file is taken at its word: then the export is whole, but who
    made it is not proved. An export of one case proves what it holds, not that nothing came after.

    Raises:
        LedgerFault: the first line that does not hold, by number.
    """
    numbered = enumerate(lines, start=1)
    _, first = next(numbered, (1, b""))
    header, head, verifier = _opened(first, key)
    chains = _Chains(header, head)
    last = 1
    for last, raw in numbered:
        try:
            chains.add(_line(raw))
        except LedgerFault as error:
            raise LedgerFault(f"line {last}: {error.message}") from error
    if chains.count != header.entries:
        raise LedgerFault(
            f"line {last}: the export ends after {chains.count} of {header.entries} entries"
        )
    return ExportReport(
        entries=chains.count,
        size=head.size,
        root=head.root.hex(),
        origin=head.origin,
        case=header.case,
        verifier=str(verifier),
        key_given=key is not None,
        pseudonyms=header.format == PSEUDONYMOUS,
    )


def _opened(first: bytes, key: Verifier | None) -> tuple[Header, Head, Verifier]:
    try:
        header = Header.model_validate_json(first)
        verifier = key or parse_verifier(header.verifier)
        head = verifier.open(header.checkpoint)
    except ValidationError as error:
        raise LedgerFault("line 1: this is not the header of an export") from error
    except CaseworkError as error:
        raise LedgerFault(f"line 1: {error.message}") from error
    if header.case is None and header.entries != head.size:
        raise LedgerFault(f"line 1: {header.entries} entries do not make a tree of {head.size}")
    return header, head, verifier


def _line(raw: bytes) -> Line:
    try:
        return Line.model_validate_json(raw)
    except ValidationError as error:
        raise LedgerFault("this is not an entry of an export") from error


class _Chains:
    """Entries as they come: the end of each chain is kept, some 200 bytes for each."""

    def __init__(self, header: Header, head: Head) -> None:
        self.count = 0
        self._case = header.case
        self._pseudonyms = header.format == PSEUDONYMOUS
        self._head = head
        self._ends: dict[str, tuple[int, str]] = {}

    def add(self, line: Line) -> None:
        """Take the next entry.

        Raises:
            LedgerFault: it does not belong there, or is not under the checkpoint.
        """
        if self._case is None and line.leaf != self.count:
            raise LedgerFault(f"leaf {self.count} should be here, not {line.leaf}")
        self.count += 1
        digest = self._digest(line)
        self._link(line.body, digest.hex())
        self._prove(line, digest)

    def _digest(self, line: Line) -> bytes:
        """What is proved: the digest of the body, or the one that stands beside another body."""
        if self._pseudonyms != (line.digest is not None):
            raise LedgerFault("an entry has a digest beside its body exactly under pseudonyms")
        return bytes.fromhex(line.digest) if line.digest else sha256(line.body.encode()).digest()

    def _link(self, body: str, digest: str) -> None:
        chain, position, previous = _place_of(body)
        if self._case not in (None, chain):
            raise LedgerFault(f"an entry of {chain} in the export of {self._case}")
        if (position, previous) != self._ends.get(chain, (0, GENESIS)):
            raise LedgerFault(f"the entry does not follow the one before it in chain {chain}")
        self._ends[chain] = (position + 1, digest)

    def _prove(self, line: Line, digest: bytes) -> None:
        try:
            path = [b64decode(step, validate=True) for step in line.proof]
            root = root_from_inclusion(leaf_hash(digest), line.leaf, self._head.size, path)
        except (Base64Error, ValueError) as error:
            raise LedgerFault(f"its proof is malformed: {error}") from error
        if root != self._head.root:
            raise LedgerFault("its proof does not lead to the checkpoint: the entry was edited")


def _place_of(body: str) -> tuple[str, int, str]:
    try:
        said = orjson.loads(body)
        return str(said["chain"]), int(said["position"]), str(said["previous"])
    except (ValueError, TypeError, KeyError) as error:
        raise LedgerFault("its body is not that of an entry") from error
