"""Reading e-mail: a file of one message, or an mbox of many, a row for each.

An mbox is cut where a line begins with ``From `` after a blank one (RFC 4155). One message is in
memory at a time, and of one that is too large no more than the limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from casework.errors import RowFault
from casework.rows.lines import Stream, read_some
from casework.rows.message import parse_mail
from casework.rows.model import KEPT_LIMIT, BadRow, Row, refused
from casework.rows.reasons import Reason

#: Bytes a message may have, attachments and all; most mail systems take no more.
MAIL_LIMIT: Final = 25 * 1024 * 1024

_SEPARATOR: Final = b"From "
_BLANK: Final = (b"\n", b"\r\n")


@dataclass(slots=True)
class _Message:
    """A message as it is gathered: kept up to the limit, counted and digested to its end."""

    line: int
    limit: int
    kept: bytearray = field(default_factory=bytearray)
    size: int = 0
    total: Any = field(default_factory=sha256)

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.total.update(piece)
        self.kept += piece[: self.limit - len(self.kept)]

    def row(self) -> Row | BadRow | None:
        """The row it makes; none where it is blank."""
        raw = bytes(self.kept)
        if self.size > self.limit:
            detail = f"the message has {self.size:,} bytes; {self.limit:,} are allowed"
            digest, kept = self.total.hexdigest(), raw[:KEPT_LIMIT]
            return BadRow(self.line, kept, self.size, digest, Reason.MAIL_TOO_LARGE, detail)
        if not raw.strip():
            return None
        try:
            return Row(self.line, parse_mail(raw), raw)
        except RowFault as fault:
            return refused(self.line, raw, fault)


def mail_rows(stream: Stream, limit: int) -> Iterator[Row | BadRow]:
    """Yield a row for each message; ``limit`` is in bytes of one message."""
    message, number, fresh, boxed, cut = _Message(1, limit), 1, True, False, True
    for piece in _pieces(stream):
        if piece is None:
            detail = "the compressed file is damaged or cut off here; what follows was not read"
            yield refused(message.line, bytes(message.kept), RowFault(Reason.DAMAGED_FILE, detail))
            return
        if fresh and cut and piece.startswith(_SEPARATOR) and (boxed or not message.kept.strip()):
            boxed = True
            if row := message.row():
                yield row
            message = _Message(number, limit)
        message.add(piece)
        cut, fresh = fresh and piece in _BLANK, piece.endswith(b"\n")
        number += fresh
    if row := message.row():
        yield row


def _pieces(stream: Stream) -> Iterator[bytes | None]:
    """Lines with their line feeds, one longer than a chunk in pieces; None where it is damaged."""
    pending = b""
    while chunk := read_some(stream):
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            yield pending + line + b"\n"
            pending = b""
        pending += rest
        if len(pending) > len(_SEPARATOR):
            # Enough to see what the line begins with; the rest of it comes as another piece.
            yield pending
            pending = b""
    if pending:
        yield pending
    if chunk is None:
        yield None
