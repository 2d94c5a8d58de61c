"""How every command prints: one JSON document on stdout, or a table for people; logs on stderr."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final
from unicodedata import category

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from casework.errors import CaseworkError

#: The option that every command printing data takes.
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]

#: What stands where something is kept from who asks.
HIDDEN: Final = "hidden"

#: For people; progress, notes and errors.
err = Console(stderr=True)
#: Wide where nobody's window bounds it, so that a pipe gets each row on a line.
out = Console(width=None if sys.stdout.isatty() else 180)


def emit(document: Any, as_json: bool, table: Table | str | None = None) -> None:
    """Print ``document`` as JSON, or ``table`` for people."""
    if as_json:
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    elif table is not None:
        out.print(table)


def table_of(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str | None = None
) -> Table:
    """A plain table of some columns of rows; what is missing or None stays empty.

    Values may be what strangers wrote: nothing in them is taken for markup or for a command to
    the terminal.
    """
    table = Table(title=title, box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in columns))
    return table


def _cell(value: Any) -> Text:
    match value:
        case None:
            shown = ""
        case datetime():
            shown = value.strftime("%Y-%m-%d %H:%M:%SZ")
        case list() | tuple() | set() | frozenset():
            shown = ", ".join(str(item) for item in value)
        case dict():
            shown = " ".join(f"{name}={item}" for name, item in value.items())
        case _:
            shown = str(value)
    return Text(
        "".join(letter if _is_harmless(letter) else "\N{REPLACEMENT CHARACTER}" for letter in shown)
    )


def _is_harmless(letter: str) -> bool:
    return (
        letter in "\n\t"
        or not category(letter).startswith("C")
        or letter == "\N{ZERO WIDTH JOINER}"
    )


@contextmanager
def reported(as_json: bool = False) -> Iterator[None]:
    """Turn an error of ours into its message, its hint and its exit code."""
    try:
        yield
    except CaseworkError as error:
        if as_json:
            emit({"error": error.as_dict()}, as_json=True)
        err.print(f"[bold red]error[/] ({error.code}): ", end="")
        err.print(error.message, markup=False, highlight=False)
        if error.hint:
            err.print("hint: ", end="", style="bold")
            err.print(error.hint, markup=False, highlight=False)
        raise typer.Exit(error.exit_code) from error
