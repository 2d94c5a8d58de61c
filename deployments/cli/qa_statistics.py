"""``casework qa agreement`` and ``report``: what may be concluded."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from casework.errors import InputError
from casework.qa.agreement import agreement, pairwise_kappa
from casework.qa.drift import Correction
from casework.qa.estimates import CONFIDENCE
from casework.qa.pseudonyms import as_they_are
from casework.qa.ratings import Level
from casework.qa.ratings_file import Columns, read_ratings
from casework.qa.report import figures_of, report
from casework.store.engine import reading
from casework.store.qa.reports import latest_round, read_round, round_before
from casework.store.qa.rounds import round_by_id
from deployments.cli.output import Json, emit, err, reported, table_of
from deployments.cli.setting import opened, pseudonymous, settled

FIGURES = ("figure", "value", "low", "high", "n", "method")


def agreement_of(
    file: Annotated[str, typer.Argument(help="CSV or JSONL, plain or gzipped; - is stdin.")],
    item: Annotated[str, typer.Option(help="The column that names the item.")],
    rater: Annotated[str, typer.Option(help="The column that names who rated it.")],
    value: Annotated[str, typer.Option(help="The column that holds the value.")],
    level: Annotated[Level, typer.Option(help="What values say about order.")] = Level.NOMINAL,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = CONFIDENCE,
    as_json: Json = False,
) -> None:
    """Measure how far raters agree in any file of ratings, a row for each rating."""
    with reported(as_json):
        ratings = read_ratings(file, Columns(item, rater, value), level)
        people = f"{len(ratings.items)} items, {len(ratings.raters)} raters, {file}"
        found = agreement(ratings, level, population=people, confidence=confidence)
        pairs = pairwise_kappa(ratings, population=people, confidence=confidence)
        document: dict[str, Any] = {
            "items": len(ratings.items),
            "raters": len(ratings.raters),
            "ratings": len(ratings.cells),
            "level": level,
            "agreement": {name: each.as_dict() for name, each in found.items()},
            "pairs": [{"raters": list(names), **each.as_dict()} for names, each in pairs.items()],
        }
        rows = [row_of(name, each) for name, each in figures_of(document["agreement"])]
        emit(document, as_json, table_of(rows, FIGURES, people))


def report_of(
    plan: Annotated[str, typer.Argument(help="The plan; its latest sample is reported.")] = "",
    round_id: Annotated[str, typer.Option("--round", help="This round, whatever its plan.")] = "",
    names: Annotated[
        bool, typer.Option("--names", help="People by their ids, not by pseudonyms.")
    ] = False,
    correction: Annotated[
        Correction, typer.Option(help="For many comparisons of drift.")
    ] = Correction.HOLM,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = CONFIDENCE,
    as_json: Json = False,
) -> None:
    """Report a round: error rates with intervals, agreement, escalation accuracy, drift."""
    with reported(as_json):
        if bool(plan) == bool(round_id):
            raise InputError("name a plan or a round", hint="casework qa rounds lists them")
        settings = settled()
        naming = as_they_are if names else pseudonymous(settings)
        with reading(opened(settings)) as session:
            found = round_by_id(session, round_id) if round_id else latest_round(session, plan)
            before = round_before(session, found)
            whole = read_round(session, found)
            earlier = read_round(session, before) if before else None
        document = {
            "round": found.id,
            "kind": found.kind,
            "plan": found.plan,
            "seed": found.seed,
            "compared_with": before.id if before else None,
            "population_digest": found.population_digest,
            **report(whole, earlier, naming, confidence=confidence, correction=correction),
        }
        rows = [row_of(name, each) for name, each in figures_of(document)]
        emit(document, as_json, table_of(rows, FIGURES, f"Round {found.id}"))
        if document["disputed"]:
            told = f"{document['disputed']} disputes are open: error rates are too low until then"
            err.print(told, markup=False, highlight=False)


def row_of(name: str, found: Mapping[str, Any]) -> dict[str, object]:
    """One estimate of a report as a row of a table."""
    shares = {each: shown(found[each]) for each in ("value", "low", "high")}
    return {"figure": name.replace("_", " "), **shares, "n": found["n"], "method": found["method"]}


def shown(value: float | None) -> str:
    """A fraction with four digits; nothing where there is none."""
    return "" if value is None else f"{value:.4f}"
