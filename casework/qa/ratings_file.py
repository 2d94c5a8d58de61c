"""Ratings from a file in long form: a row for each value that a rater gave to an item."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casework.errors import InputError
from casework.policy.faults import nearest
from casework.qa.ratings import Level, Rating, Ratings, gather
from casework.rows import BadRow, Row, open_rows


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns, or keys, that hold item, rater and value."""

    item: str
    rater: str
    value: str


def read_ratings(path: Path | str, columns: Columns, level: Level) -> Ratings:
    """Read CSV or JSONL, plain or gzipped (``-``: standard input); an empty value is missing.

    Raises:
        InputError: the file or a row cannot be read, a column is missing, an item or rater is
            empty, a rater gave an item two values, or a value is not the number it should be.
    """
    with open_rows(path) as reading:
        found = gather(_ratings(reading.rows, columns), level)
    if not found.cells:
        raise InputError(f"{path} holds no ratings", hint="it needs a row for each rating")
    return found


def _ratings(rows: Iterator[Row | BadRow], columns: Columns) -> Iterator[Rating]:
    for row in rows:
        if isinstance(row, BadRow):
            raise InputError(
                f"line {row.line} cannot be read: {row.detail}",
                hint="mend that row, or leave it out",
            )
        value = _cell(row, columns.value)
        if value is None:
            continue
        item, rater = _cell(row, columns.item), _cell(row, columns.rater)
        if item is None or rater is None:
            name = columns.item if item is None else columns.rater
            raise InputError(
                f"line {row.line} has nothing in `{name}`",
                hint="each rating names its item and its rater",
            )
        yield Rating(item, rater, value)


def _cell(row: Row, name: str) -> str | None:
    if name not in row.record:
        raise InputError(
            f"line {row.line} has no `{name}`", hint=nearest(name, row.record, "column")
        )
    cell: Any = row.record[name]
    if isinstance(cell, dict | list):
        raise InputError(
            f"line {row.line} has no single value in `{name}`", hint="values are texts or numbers"
        )
    return None if cell is None or str(cell).strip() == "" else str(cell).strip()
