"""Opening a file of rows, whatever it is called and however it is packed."""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final, cast

import orjson

from casework.errors import InputError
from casework.rows.delimited import csv_rows, header_of
from casework.rows.jsonl import json_rows
from casework.rows.lines import Line, Stream, split_lines
from casework.rows.mail import MAIL_LIMIT, mail_rows
from casework.rows.model import ROW_LIMIT, BadRow, Format, Layout, Row

_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_SNIFFED: Final = 20
_EXTENSIONS: Final[dict[str, Format]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".eml": "mail",
    ".mbox": "mail",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """An open file: how its rows are written, and the rows."""

    layout: Layout
    rows: Iterator[Row | BadRow]


@contextmanager
def open_rows(
    path: str | Path,
    *,
    format: Format | None = None,
    delimiter: str | None = None,
    columns: tuple[str, ...] = (),
    limit: int | None = None,
) -> Iterator[Reading]:
    """Open a file (``-``: standard input) and read its rows as they are asked for.

    Raises:
        InputError: there is no such file, it cannot be read, or its CSV header is unusable.
    """
    with _opened(path) as binary:
        yield read_rows(
            _unpacked(binary),
            name=str(path),
            format=format,
            delimiter=delimiter,
            columns=columns,
            limit=limit,
        )


def read_rows(
    stream: Stream,
    *,
    name: str = "-",
    format: Format | None = None,
    delimiter: str | None = None,
    columns: tuple[str, ...] = (),
    limit: int | None = None,
) -> Reading:
    """Read the rows of an unpacked stream; what is not given is seen from its name and content.

    ``limit`` is the bytes a row may have, by default ``ROW_LIMIT``, or ``MAIL_LIMIT`` of mail.

    Raises:
        InputError: its CSV header is unusable.
    """
    named = _EXTENSIONS.get(Path(name.removesuffix(".gz")).suffix.lower())
    if (format or named) == "mail":
        return Reading(Layout("mail"), mail_rows(stream, limit or MAIL_LIMIT))
    limit = limit or ROW_LIMIT
    lines = split_lines(stream, limit)
    first = list(islice(lines, _SNIFFED))
    if first and isinstance(first[0], bytes):
        first[0] = first[0].removeprefix(_BOM)
    numbered = enumerate(chain(first, lines), start=1)
    chosen = format or _sniff(named, first)
    if chosen == "jsonl":
        return Reading(Layout("jsonl"), json_rows(numbered, limit))
    separator = delimiter or ("\t" if Path(name).name.removesuffix(".gz").endswith(".tsv") else ",")
    names = columns or _header(numbered, separator)
    layout = Layout("csv", names, separator)
    return Reading(layout, csv_rows(numbered, layout, limit))


@contextmanager
def _opened(path: str | Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        binary = open(path, "rb")  # noqa: SIM115 - closed below; only opening is guarded
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}", hint="check the path") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder", hint="name one file in it") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened: {error}", hint="check who may read it") from (
            error
        )
    with binary:
        yield binary


def _unpacked(binary: BinaryIO) -> Stream:
    buffered = binary if isinstance(binary, io.BufferedReader) else io.BufferedReader(binary)  # type: ignore[type-var]
    if buffered.peek(2)[:2] == _GZIP:
        return cast(Stream, gzip.GzipFile(fileobj=buffered))
    return buffered


def _sniff(named: Format | None, lines: list[Line]) -> Format:
    """Decide by the extension, unless the content plainly is the other format."""
    texts = [line for line in lines if isinstance(line, bytes) and line.strip()]
    if any(_is_object(line) for line in texts[:3]):
        return "jsonl"
    if named:
        return named
    looks_json = not texts or any(line.lstrip()[:1] in (b"{", b"[") for line in texts)
    return "jsonl" if looks_json else "csv"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _header(numbered: Iterator[tuple[int, Line]], delimiter: str) -> tuple[str, ...]:
    for number, line in numbered:
        if not isinstance(line, bytes):
            raise InputError(
                f"line {number}, the CSV header, cannot be read",
                hint="if the file has no header, name the columns in the mapping: csv: {columns}",
            )
        if line.strip():
            return header_of(line, delimiter)
    return ()
