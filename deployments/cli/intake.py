"""``casework intake``: a file of tickets, from its rows to decided cases."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, func, select
from sqlmodel import col

from casework.errors import InputError, StoreError
from casework.mapping import load_mapping
from casework.policy.bundle import load_bundle
from casework.settings import Settings
from casework.store.engine import reading
from casework.store.tables import Case, Intake
from deployments.cli.output import Json, emit, err, reported, table_of
from deployments.cli.setting import set_up, settled
from deployments.stack import server

#: The counts, in the order in which they are printed.
COUNTS = (
    "received",
    "opened",
    "duplicates",
    "revised",
    "quarantined",
    "closed",
    "review",
    "escalated",
)


def intake_file(
    file: Annotated[
        Path, typer.Argument(help="JSONL, CSV or mail, plain or .gz; - for standard input.")
    ],
    mapping: Annotated[
        Path | None, typer.Option(help="Field mapping (YAML); none: the fields are ours.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Name of the source of these tickets.")] = None,
    as_json: Json = False,
) -> None:
    """Read tickets, open cases, gather signals and put them before the policy."""
    with reported(as_json):
        settings = settled()
        counts = run_intake(settings, file, mapping, source)
        title = f"Intake of {file.name}"
        emit(counts, as_json, table_of([counts], COUNTS, title))
        if not as_json and counts["quarantined"]:
            err.print("look at the bad rows with: casework quarantine list")
        if not as_json and counts["review"] + counts["escalated"]:
            err.print("cases wait for people: casework approvals list")


def run_intake(
    settings: Settings, file: Path, mapping: Path | None, source: str | None
) -> dict[str, int]:
    """Run the intake flow here and now, on the server that runs or one started for it."""
    if str(file) != "-" and not file.is_file():
        raise InputError(
            f"there is no file {file}", hint="give a JSONL, CSV, .eml or .mbox file, or -"
        )
    if mapping is not None:
        load_mapping(mapping)
    load_bundle(settings.bundle_dir)
    engine = set_up(settings)
    with server(settings):
        from flows.intake import intake

        with _progress(engine):
            counts = asyncio.run(
                intake(
                    str(file if str(file) == "-" else file.absolute()),
                    mapping=str(mapping.absolute()) if mapping else None,
                    source=source,
                )
            )
    return {name: int(counts.get(name, 0)) for name in COUNTS}


@contextmanager
def _progress(engine: Engine) -> Iterator[None]:
    """Show on stderr how far the newest intake has come, read from the store."""
    done = threading.Event()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        shown = progress.add_task("starting")

        def follow() -> None:
            while not done.wait(0.5):
                try:
                    told = _how_far(engine)
                except StoreError:
                    # The flow tells why; how far it has come is known again when the store is.
                    told = "the store does not answer"
                progress.update(shown, description=told)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _how_far(engine: Engine) -> str:
    with reading(engine) as session:
        newest = session.scalars(
            select(Intake).order_by(col(Intake.started_at).desc()).limit(1)
        ).first()
        if newest is None:
            return "starting"
        by_status = session.execute(
            select(col(Case.status), func.count())
            .where(col(Case.intake_id) == newest.id)
            .group_by(col(Case.status))
            .order_by(col(Case.status))
        ).all()
    stages = ", ".join(f"{count:,} {status}" for status, count in by_status)
    return f"{newest.received:,} rows read, {newest.quarantined:,} quarantined; {stages}"
