"""``casework quarantine``: rows that could not become cases."""

from pathlib import Path
from typing import Annotated, Any

import typer

from casework.errors import InputError
from casework.mapping import load_mapping
from casework.store.engine import reading, transaction
from casework.store.quarantine import DISCARDED, RETRIED, WAITING, discard_row, list_rows, row_by_id
from casework.store.retrying import Correction, changes_of, retry_row
from casework.store.tables import Quarantined
from deployments.cli.output import Json, emit, out, reported, table_of
from deployments.cli.setting import now, opened, operator, settled

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("id", "source", "line", "reason", "detail", "status")
_SHOWN = ("id", "intake_id", "source", "line", "reason", "detail", "raw_size", "raw_digest")
_RESOLVED = ("status", "quarantined_at", "resolved_at", "resolved_by", "case_id")

Row = Annotated[str, typer.Argument(help="The row's id.")]


@app.command("list")
def list_(
    status: Annotated[
        str, typer.Option(help=f"{WAITING}, {RETRIED}, {DISCARDED} or all.")
    ] = WAITING,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    as_json: Json = False,
) -> None:
    """List quarantined rows, the oldest first, without what they say."""
    with reported(as_json):
        if status not in (WAITING, RETRIED, DISCARDED, "all"):
            raise InputError(f"there is no status {status}", hint=f"{WAITING} is the default")
        wanted = None if status == "all" else status
        with reading(opened(settled())) as session:
            found = list_rows(
                session, status=wanted, source=source, reason=reason, limit=limit, offset=offset
            )
            rows = [_document(row) for row in found]
        emit({"rows": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def show(row: Row, as_json: Json = False) -> None:
    """Show a quarantined row with its bytes; what is not UTF-8 is escaped."""
    with reported(as_json):
        with reading(opened(settled())) as session:
            found = row_by_id(session, row)
            document = {**_document(found), "raw": found.raw.decode("utf-8", "backslashreplace")}
        emit(document, as_json)
        if not as_json:
            for name, value in document.items():
                if value is not None:
                    out.print(f"{name}: {value}", markup=False, highlight=False)


@app.command()
def retry(
    row: Row,
    mapping: Annotated[Path | None, typer.Option(help="A corrected mapping.")] = None,
    data: Annotated[Path | None, typer.Option(help="File with the corrected row.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="field=value, in the row's own fields.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read a row again, as it was or corrected, and open its case."""
    with reported(as_json):
        correction = Correction(
            raw=_bytes_of(data) if data else None,
            fields=changes_of(changes or []),
            mapping=load_mapping(mapping) if mapping else None,
        )
        with transaction(opened(settled())) as session:
            done = retry_row(session, row, correction, operator(), now())
        document = {"row": row, "case": done.case_id, "outcome": done.outcome}
        told = f"{row}: {done.outcome} {done.case_id}; it is decided with the next batch"
        emit(document, as_json, told)


@app.command()
def discard(
    row: Row,
    reason: Annotated[str, typer.Option(help="Why it may be given up; kept in the history.")],
    as_json: Json = False,
) -> None:
    """Give a row up."""
    with reported(as_json):
        with transaction(opened(settled())) as session:
            found = discard_row(session, row, reason, operator(), now())
            document = _document(found)
        emit(document, as_json, f"{row}: discarded")


def _document(row: Quarantined) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*_SHOWN, *_RESOLVED)}


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
