"""Reading rows written as CSV."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from casework.errors import InputError, RowFault
from casework.rows.jsonl import unreadable
from casework.rows.lines import Line
from casework.rows.model import BadRow, Layout, Row, refused
from casework.rows.reasons import Reason

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(slots=True)
class _Feed:
    """Hands lines to the CSV reader and remembers which ones the record in hand is made of.

    A quote that is never closed would swallow the rest of the file. Lines can therefore be given
    back: the record is then refused with its first line alone and reading goes on with the next.
    """

    lines: Iterator[tuple[int, Line]]
    limit: int
    taken: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0
    ahead: deque[tuple[int, Line]] = field(default_factory=deque)

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        number, line = self.ahead.popleft() if self.ahead else next(self.lines)
        if type(line) is not bytes or (self.taken and self.size + len(line) > self.limit):
            self.ahead.appendleft((number, line))
            raise StopIteration
        self.taken.append((number, line))
        self.size += len(line) + 1
        return line.decode("utf-8", "surrogateescape") + "\n"

    def start(self) -> Line | None:
        """Begin a record; return the next line if it cannot be read at all."""
        self.taken.clear()
        self.size = 0
        if not self.ahead and (pair := next(self.lines, None)):
            self.ahead.append(pair)
        line = self.ahead[0][1] if self.ahead else None
        return None if line is None or type(line) is bytes else line

    def give_back(self) -> None:
        """Keep the first line of the record and give back the others."""
        self.ahead.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def raw(self) -> bytes:
        """The bytes of the record in hand."""
        return b"\n".join(line for _, line in self.taken)


def csv_rows(
    lines: Iterator[tuple[int, Line]], layout: Layout, limit: int
) -> Iterator[Row | BadRow]:
    """Yield a row for each record of the numbered lines after the header; blank lines are none."""
    csv.field_size_limit(max(limit, csv.field_size_limit()))
    feed = _Feed(lines, limit)
    reader = _reader(feed, layout.delimiter)
    while True:
        if (line := feed.start()) is not None:
            number, _ = feed.ahead.popleft()
            yield unreadable(number, line, limit)
            continue
        try:
            cells = next(reader)
        except StopIteration:
            if not feed.taken:
                return
            cells = None
        except csv.Error:
            cells = None
        if cells is None:
            feed.give_back()
            reader = _reader(feed, layout.delimiter)
        if cells != []:
            yield _row(feed.taken[0][0], feed.raw(), cells, layout.columns)


def header_of(raw: bytes, delimiter: str) -> tuple[str, ...]:
    """Read the names of the columns; one without a name is called by its number.

    Raises:
        InputError: the header cannot be read or names a column twice.
    """
    hint = "name the columns in the mapping: csv: {columns: [...]}"
    try:
        cells = _cells(raw.removeprefix(_BOM), delimiter)
    except RowFault as fault:
        raise InputError(f"the CSV header cannot be read: {fault.message}", hint=hint) from fault
    names = [cell.strip() or f"column_{at}" for at, cell in enumerate(cells, start=1)]
    twice = [at for at, name in enumerate(names, start=1) if name in names[: at - 1]]
    if twice:
        raise InputError(f"the CSV header repeats a name in column {twice[0]}", hint=hint)
    return tuple(names)


def parse_csv(raw: bytes, layout: Layout) -> dict[str, str]:
    """Read one record.

    Raises:
        RowFault: it is not one record of as many cells as there are columns.
    """
    cells = _cells(raw, layout.delimiter)
    return _named(cells, layout.columns)


def _reader(lines: Iterator[str], delimiter: str) -> "Iterator[list[str]]":
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _row(line: int, raw: bytes, cells: list[str] | None, columns: Sequence[str]) -> Row | BadRow:
    try:
        _check_bytes(raw)
        if cells is None:
            raise RowFault(Reason.BROKEN_CSV, "a quote is not closed or out of place")
        return Row(line, _named(cells, columns), raw)
    except RowFault as fault:
        return refused(line, raw, fault)


def _cells(raw: bytes, delimiter: str) -> list[str]:
    _check_bytes(raw)
    lines = (line + "\n" for line in raw.decode().split("\n"))
    try:
        records = list(_reader(lines, delimiter))
    except csv.Error as error:
        raise RowFault(Reason.BROKEN_CSV, "a quote is not closed or out of place") from error
    if len(records) != 1:
        raise RowFault(Reason.BROKEN_CSV, f"one record was expected, not {len(records)}")
    return records[0]


def _check_bytes(raw: bytes) -> None:
    if b"\x00" in raw:
        raise RowFault(Reason.NUL, "the row holds a NUL byte")
    if raw.isascii():
        return
    try:
        raw.decode()
    except UnicodeDecodeError as fault:
        detail = f"byte {fault.start + 1} is not valid UTF-8"
        raise RowFault(Reason.INVALID_UTF8, detail) from fault


def _named(cells: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        detail = f"{len(cells)} cells where the header names {len(columns)} columns"
        raise RowFault(Reason.COLUMN_COUNT, detail)
    return dict(zip(columns, cells, strict=True))
