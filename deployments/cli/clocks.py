"""``casework clocks``: what is promised, what runs out, and what a ladder would do."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from casework.cases import Severity
from casework.errors import InputError
from casework.escalation import simulate as climb
from casework.policy.bundle import load_bundle
from casework.policy.clock_entries import duration
from casework.policy.faults import nearest
from casework.store.engine import reading
from casework.store.running_clocks import running_clocks
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import now, opened, settled

app = typer.Typer(no_args_is_help=True)

COLUMNS: Final = ("gate", "clock", "queue", "severity", "state", "due_at", "used", "holder")
RUNGS: Final = ("moment", "after", "clock", "step", "kind", "to", "queue", "severity", "locked")


@app.command("list")
def list_(
    breached: Annotated[bool, typer.Option("--breached", help="Only what is overdue.")] = False,
    due_within: Annotated[str, typer.Option(help="Only what is due in this time: 2h.")] = "",
    queue: Annotated[str | None, typer.Option(help="Only gates in this queue.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List the clocks that run, what is due first at the top."""
    with reported(as_json), reading(opened(settled())) as session:
        at = now()
        by = at + _length(due_within) if due_within else None
        queues = [queue] if queue else None
        rows = running_clocks(session, at, breached=breached, due_by=by, queues=queues, limit=limit)
        emit({"clocks": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def simulate(
    queue: Annotated[str, typer.Option(help="The queue in which a gate would open.")],
    severity: Annotated[Severity, typer.Option(help="At which severity.")],
    at: Annotated[datetime | None, typer.Option(help="When, in UTC; the default is now.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="A bundle to try; the default is the one in force.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show when each step of a ladder would happen to a gate that nobody touches."""
    with reported(as_json):
        bundle = load_bundle(policy or settled().bundle_dir)
        if queue not in bundle.queues:
            raise InputError(f"there is no queue {queue}", hint=nearest(queue, bundle.queues))
        opened_at = now() if at is None else at.replace(tzinfo=UTC)
        rows = [
            {**asdict(rung), "after": str(rung.moment - opened_at)}
            for rung in climb(bundle, queue, severity.value, opened_at)
        ]
        document = {"queue": queue, "severity": severity, "opened_at": opened_at, "steps": rows}
        emit(
            document, as_json, table_of(rows, RUNGS, f"A gate opens at {opened_at:%Y-%m-%d %H:%MZ}")
        )


def _length(given: str) -> timedelta:
    try:
        return duration(given)
    except ValueError as error:
        raise InputError(f"{given!r} is no length of time: {error}") from error
