"""``casework health``: the report, and how many people a target takes."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from casework.clocks.model import ClockKind
from casework.errors import InputError
from casework.health.charts import charts
from casework.health.page import html
from casework.health.regions import region_of
from casework.health.report import markdown
from casework.health.staffing import Demand, by_formula, staff
from casework.policy.bundle import load_bundle
from casework.policy.clock_entries import duration
from casework.store.engine import reading
from casework.store.health.demand import demand_of
from casework.store.health.reports import read_health
from deployments.cli.output import Json, emit, out, reported, table_of
from deployments.cli.setting import now, opened, settled
from deployments.cli.times import moment

app = typer.Typer(no_args_is_help=True)

COLUMNS: Final = ("people", "met", "lowest", "highest", "wait_p50", "wait_p90", "busy")


@app.command()
def report(
    folder: Annotated[Path, typer.Option("--out", help="The folder to write the files into.")],
    as_json: Json = False,
) -> None:
    """Write the report: Markdown with its charts as SVG, and one HTML file with all in it."""
    with reported(as_json):
        settings = settled()
        region = region_of(load_bundle(settings.bundle_dir), settings.health_region)
        with reading(opened(settings)) as session:
            found = read_health(session, region, now())
        drawn = charts(found)
        files = {
            "health.md": markdown(found, drawn),
            "health.html": html(found, drawn),
            **{f"charts/{name}.svg": svg for name, svg in drawn.items()},
        }
        _write(folder, files)
        document = {"folder": str(folder), "files": sorted(files)}
        emit(document, as_json, f"{len(files)} files in {folder}; open health.html")


@app.command()
def staffing(
    queue: Annotated[str, typer.Option(help="The queue.")],
    target: Annotated[float, typer.Option(help="The share that is to be in time: 0.9.")],
    clock: Annotated[ClockKind, typer.Option(help="Which promise.")] = ClockKind.FIRST_TOUCH,
    within: Annotated[str, typer.Option(help="In place of what the policy promises: 30m.")] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="The stream of so many days.")] = 28,
    until: Annotated[str, typer.Option(help="The stream's end: 2026-03-02; none is now.")] = "",
    handling: Annotated[str, typer.Option(help="In place of the known times: 12m.")] = "",
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 1,
    as_json: Json = False,
) -> None:
    """Say how many people at once a target takes, by simulating the queue's own stream."""
    with reported(as_json):
        settings = settled()
        end = moment(until, now()) if until else now()
        bundle = load_bundle(settings.bundle_dir)
        promised = _length(within) if within else None
        with reading(opened(settings)) as session:
            demand = demand_of(
                session,
                bundle,
                queue,
                end - timedelta(days=days),
                end,
                clock,
                within=promised,
                handling=_length(handling) if handling else None,
            )
        people, outcomes = staff(demand, target, seed)
        document = {"queue": queue, "target": target, "people": people, **_told(demand)}
        document["erlang_c"] = _formula(demand, target, promised)
        document["outcomes"] = [asdict(outcome) for outcome in outcomes]
        rows = [_row(asdict(outcome)) for outcome in outcomes]
        emit(document, as_json, table_of(rows, COLUMNS, _title(document)))
        if not as_json:
            out.print("met, lowest and highest are over 20 runs; people are those at work at once")


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        (folder / "charts").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf8")
    except OSError as error:
        raise InputError(
            f"the report cannot be written to {folder}: {error.strerror}",
            hint="name a folder that you may write to",
        ) from error


def _length(given: str) -> timedelta:
    try:
        return duration(given)
    except ValueError as error:
        raise InputError(f"{given!r} is no length of time: {error}") from error


def _told(demand: Demand) -> dict[str, Any]:
    return {
        "arrivals": len(demand.arrivals),
        "handling_seconds": round(demand.handling, 1),
        "handlings": len(demand.handlings),
        "business_hours": round(demand.length / 3600, 1),
        "load_erlangs": round(demand.load, 3),
    }


def _formula(demand: Demand, target: float, within: timedelta | None) -> int | None:
    """Erlang C's answer, where the question is one that it knows: one promise, of first touch."""
    if not demand.is_touch or (within is None and len({a.target for a in demand.arrivals}) > 1):
        return None
    return by_formula(demand, target, demand.arrivals[0].target)


def _row(outcome: dict[str, Any]) -> dict[str, object]:
    shares = {name: f"{outcome[name]:.1%}" for name in ("met", "lowest", "highest", "busy")}
    waits = {name: f"{outcome[name] / 60:.1f} min" for name in ("wait_p50", "wait_p90")}
    return {"people": outcome["people"], **shares, **waits}


def _title(told: dict[str, Any]) -> str:
    formula = f"; Erlang C: {told['erlang_c']}" if told["erlang_c"] is not None else ""
    return (
        f"{told['queue']}: {told['people']} people at once for {told['target']:.0%} "
        f"({told['arrivals']} gates, {told['handling_seconds'] / 60:.1f} min each, "
        f"{told['load_erlangs']:.2f} erlangs{formula})"
    )
