"""Cutting a stream of bytes into lines, with a limit, so that memory stays flat."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol, TypeAlias

from casework.errors import InputError
from casework.rows.model import KEPT_LIMIT

_CHUNK: Final = 256 * 1024


class Stream(Protocol):
    """What is read from: a file, a pipe or a gzip stream."""

    def read1(self, size: int, /) -> bytes:
        """Return some bytes, at most ``size``; none at the end."""


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line past the limit: its beginning, and the size and digest of all of it."""

    raw: bytes
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Damage:
    """The stream cannot be read any further; ``raw`` is the line it broke off in."""

    raw: bytes


Line: TypeAlias = bytes | Overlong | Damage


def split_lines(stream: Stream, limit: int) -> Iterator[Line]:
    """Yield each line without its line feed; the last one may lack it.

    Raises:
        InputError: the operating system fails to read.
    """
    pending: bytes = b""
    ahead: bytes | None = b""
    while True:
        chunk = ahead or read_some(stream)
        ahead = b""
        if chunk is None:
            yield Damage(pending)
            return
        if not chunk:
            break
        lines = chunk.split(b"\n")
        lines[0] = pending + lines[0]
        pending = lines.pop()
        for line in lines:
            yield line if len(line) <= limit else _overlong(line)
        if len(pending) > limit:
            whole, ahead = _swallow(stream, pending)
            pending = b""
            yield whole
            if ahead is None:
                yield Damage(b"")
                return
    if pending:
        yield pending


def read_some(stream: Stream) -> bytes | None:
    """Some bytes; None where compressed data is damaged or cut off."""
    try:
        return stream.read1(_CHUNK)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return None
    except OSError as error:
        raise InputError(f"reading failed: {error.strerror or error}", hint="try again") from error


def _overlong(line: bytes) -> Overlong:
    return Overlong(line[:KEPT_LIMIT], len(line), sha256(line).hexdigest())


def _swallow(stream: Stream, start: bytes) -> tuple[Overlong, bytes | None]:
    """Read an overlong line to its end; return it and what was read past it; None: damage."""
    kept, size, total = bytearray(start[:KEPT_LIMIT]), len(start), sha256(start)
    while chunk := read_some(stream):
        part, feed, after = chunk.partition(b"\n")
        kept += part[: KEPT_LIMIT - len(kept)]
        size += len(part)
        total.update(part)
        if feed:
            return Overlong(bytes(kept), size, total.hexdigest()), after
    return Overlong(bytes(kept), size, total.hexdigest()), chunk
