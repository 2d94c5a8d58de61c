"""``casework metrics``: how the work goes today, or went on a day that is over."""

from datetime import date
from typing import Annotated, Any, Final

import typer

from casework.errors import InputError, NotFound
from casework.health.days import bounds
from casework.health.measures import MEASURES, figure
from casework.health.regions import region_of
from casework.health.rows import Row
from casework.policy.bundle import load_bundle
from casework.store.engine import reading
from casework.store.health.days import latest_record, rows_between, rows_in
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import now, opened, settled

COLUMNS: Final = ("measure", "by", "group", "n", "value", "p90", "p99", "interval")


def metrics(
    day: Annotated[str, typer.Option(help="A day that is over: 2026-03-02; none is today.")] = "",
    by: Annotated[str, typer.Option(help="Only this grouping: all, queue, vendor ...")] = "",
    measure: Annotated[str, typer.Option(help="Only this measure.")] = "",
    as_json: Json = False,
) -> None:
    """Show the measures of today, as the store stands, or of a recorded day."""
    with reported(as_json):
        if measure and measure not in MEASURES:
            raise InputError(f"there is no measure {measure}", hint=f"one of {', '.join(MEASURES)}")
        document, rows = _read(_day(day))
        kept = [r for r in rows if by in ("", r.by) and measure in ("", r.measure)]
        document["rows"] = [row.as_dict() for row in kept]
        title = f"{document['day']}, {document['state']}"
        emit(document, as_json, table_of([shown(row) for row in kept], COLUMNS, title))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(f"{text} is no day", hint="for example 2026-03-02") from error


def _read(day: date | None) -> tuple[dict[str, Any], list[Row]]:
    settings, at = settled(), now()
    with reading(opened(settings)) as session:
        if day is None or day == at.date():
            region = region_of(load_bundle(settings.bundle_dir), settings.health_region)
            rows = rows_between(session, bounds(at.date())[0], at, region)
            return {"day": at.date().isoformat(), "state": "as it stands", "at": at}, rows
        record = latest_record(session, day)
    if record is None:
        raise NotFound(
            f"{day} is not recorded", hint="the flow `health` records a day an hour after its end"
        )
    told = {"revision": record.revision, "digest": record.digest, "recorded_at": record.recorded_at}
    return {"day": record.day, "state": f"revision {record.revision}", **told}, rows_in(record)


def shown(row: Row) -> dict[str, object]:
    """A row as people read it: shares in percent, lengths in the largest fitting unit."""
    kind = MEASURES[row.measure].kind
    interval = "" if row.low is None or row.high is None else f"{row.low:.1%} to {row.high:.1%}"
    return {
        "measure": MEASURES[row.measure].title,
        "by": row.by,
        "group": row.group,
        "n": row.n,
        **{name: figure(kind, getattr(row, name)) for name in ("value", "p90", "p99")},
        "interval": interval,
    }
