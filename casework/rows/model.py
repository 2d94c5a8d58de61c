"""What a reader yields: rows, and rows that cannot be read."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from casework.errors import RowFault

#: Bytes a row may have before it is refused unread.
ROW_LIMIT: Final = 1024 * 1024

#: Bytes of a refused row that are kept; of the rest only the size and the digest.
KEPT_LIMIT: Final = 16 * 1024 * 1024

Format: TypeAlias = Literal["jsonl", "csv", "mail"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a file are written: all that is needed to read one of them again."""

    format: Format
    columns: tuple[str, ...] = ()  # CSV alone
    delimiter: str = ","


@dataclass(slots=True)
class Row:
    """A row that could be read; ``line`` is where it begins, counted from 1."""

    line: int
    record: dict[str, Any]
    raw: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot become a case. ``raw`` is cut to ``KEPT_LIMIT``; size and digest are not.

    ``detail`` is for people and quotes nothing of the row.
    """

    line: int
    raw: bytes
    size: int
    digest: str
    reason: str
    detail: str


def refused(line: int, raw: bytes, fault: RowFault) -> BadRow:
    """A bad row from its bytes, all of which are at hand, and what is wrong with it."""
    return BadRow(
        line=line,
        raw=raw[:KEPT_LIMIT],
        size=len(raw),
        digest=sha256(raw).hexdigest(),
        reason=fault.reason,
        detail=fault.message,
    )
