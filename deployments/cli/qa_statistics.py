"""``casework qa agreement`` and ``report``: what may be concluded."""

from typing import Annotated

import typer

from casework.qa.agreement import agreement, pairwise_kappa
from casework.qa.estimates import CONFIDENCE, Estimate
from casework.qa.ratings import Level
from casework.qa.ratings_file import Columns, read_ratings
from deployments.cli.output import Json, emit, reported, table_of

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
        document = {
            "items": len(ratings.items),
            "raters": len(ratings.raters),
            "ratings": len(ratings.cells),
            "level": level,
            "agreement": {name: each.as_dict() for name, each in found.items()},
            "pairs": [{"raters": list(names), **each.as_dict()} for names, each in pairs.items()],
        }
        rows = [figure(name, each) for name, each in found.items()]
        emit(document, as_json, table_of(rows, FIGURES, people))


def figure(name: str, found: Estimate) -> dict[str, object]:
    """One estimate as a row of a table."""
    return {
        "figure": name.replace("_", " "),
        "value": shown(found.value),
        "low": shown(found.low),
        "high": shown(found.high),
        "n": found.n,
        "method": found.method,
    }


def shown(value: float | None) -> str:
    """A fraction with four digits; nothing where there is none."""
    return "" if value is None else f"{value:.4f}"
