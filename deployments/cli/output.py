"""How every command prints: one JSON document on stdout, or a table for people; logs on stderr."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from casework.errors import CaseworkError

#: The option that every command printing data takes.
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]

#: For people; progress, notes and errors.
err = Console(stderr=True)
out = Console()


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
    """A plain table of some columns of rows; what is missing or None stays empty."""
    table = Table(title=title, box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("" if row.get(name) is None else str(row[name]) for name in columns))
    return table


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
