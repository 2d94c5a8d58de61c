"""``casework qa``: sample decisions, look at them again, and conclude."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from casework.errors import InputError
from casework.policy.bundle import load_bundle
from casework.qa.estimates import CONFIDENCE
from casework.qa.intervals import sample_size
from casework.qa.summaries import preview_document
from casework.store.engine import reading
from casework.store.people import people_of, person_by_id
from casework.store.qa.drawing import (
    draw_round,
    midnight,
    open_training,
    plan_of,
    preview_plan,
)
from casework.store.qa.rounds import rounds
from casework.store.tables import QaRound
from casework.store.vendors import team_by_id, vendor_by_id
from deployments.cli import qa_golden, qa_reviews, qa_rights, qa_statistics
from deployments.cli.output import Json, emit, err, reported, table_of
from deployments.cli.setting import now, opened, operator, settled

app = typer.Typer(no_args_is_help=True)
app.add_typer(qa_golden.app, name="golden", help="Decisions whose right answer is known.")
app.add_typer(qa_rights.app, name="rights", help="Rights that errors speak against.")

Name = Annotated[str, typer.Argument(help="The plan's id in qa.yaml.")]
Until = Annotated[
    str, typer.Option(help="Day or time the window ends, not in it; default: midnight, UTC.")
]
Margin = Annotated[float, typer.Option(min=0.001, max=99, help="Points to either side.")]
Confidence = Annotated[float, typer.Option(min=1, max=99.99, help="Confidence in per cent.")]

STRATA = ("stratum", "population", "sampled", "probability")
ROUNDS = ("id", "kind", "plan", "seed", "population", "sampled", "drawn_at")


@app.command("preview")
def preview_of(
    plan: Name,
    margin: Margin = 2.0,
    confidence: Confidence = 100 * CONFIDENCE,
    until: Until = "",
    as_json: Json = False,
) -> None:
    """Show what a plan would draw: strata, probabilities, precision and hours. Draws nothing."""
    with reported(as_json):
        settings = settled()
        bundle, closes = load_bundle(settings.bundle_dir), _ends(until)
        wanted = margin / 100
        found = preview_plan(
            opened(settings),
            bundle,
            plan,
            closes,
            now(),
            margin=wanted,
            confidence=confidence / 100,
        )
        document = preview_document(found, plan_of(bundle, plan), wanted)
        emit({**document, "until": closes}, as_json, _strata_of(document["strata"], plan))
        if not as_json:
            for line in _told(document):
                err.print(line, highlight=False)


@app.command("size")
def size_of(
    margin: Margin = 2.0,
    rate: Annotated[float, typer.Option(min=0, max=100, help="Expected rate, per cent.")] = 50.0,
    population: Annotated[
        int | None, typer.Option(min=0, help="How many decisions there are; empty: very many.")
    ] = None,
    confidence: Confidence = 100 * CONFIDENCE,
    as_json: Json = False,
) -> None:
    """Say how many decisions a simple sample needs for a margin, such as 2 points at 95 %."""
    with reported(as_json):
        needed = sample_size(
            margin / 100, rate / 100, population=population, confidence=confidence / 100
        )
        document = {
            "needed": needed,
            "margin": margin,
            "rate": rate,
            "population": population,
            "confidence": confidence,
            "source": "Cochran 1977, equations 4.1 and 4.2",
        }
        emit(document, as_json, f"{needed} decisions for {margin:g} points at {confidence:g} %")


@app.command("sample")
def sample_of(
    plan: Name,
    seed: Annotated[
        str, typer.Option(help="Whatever you like; default: the plan and its day.")
    ] = "",
    until: Until = "",
    as_json: Json = False,
) -> None:
    """Draw a plan's sample and open its blind re-reviews. The same draw again draws nothing new."""
    with reported(as_json):
        emit_round(_drawn(plan, seed, until, ()), as_json)


@app.command("calibrate")
def calibrate(
    plan: Name,
    member: Annotated[
        list[str] | None, typer.Option("--person", help="A member of the team; give each of them.")
    ] = None,
    vendor: Annotated[str, typer.Option(help="Everybody active who works for them.")] = "",
    group: Annotated[str, typer.Option("--team", help="Everybody active in this team.")] = "",
    seed: Annotated[str, typer.Option(help="Whatever you like.")] = "",
    until: Until = "",
    as_json: Json = False,
) -> None:
    """Give the same decisions to each of a team, to see whether they decide alike."""
    with reported(as_json):
        with reading(opened(settled())) as session:
            people = [person_by_id(session, each) for each in member or ()]
            if vendor:
                people += people_of(session, vendor_by_id(session, vendor).id)
            if group:
                people += people_of(session, team=team_by_id(session, group).id)
        team = {each.id for each in people}
        if len(team) < 2:
            raise InputError("a team has two people at least", hint="give --person again")
        emit_round(_drawn(plan, seed, until, tuple(sorted(team))), as_json)


@app.command("train")
def train(
    plan: Name,
    person: Annotated[str, typer.Option(help="Who is trained.")],
    number: Annotated[int, typer.Option(min=1, max=1000, help="How many items.")] = 10,
    seed: Annotated[str, typer.Option(help="Whatever you like; the same gives the same.")] = "1",
    as_json: Json = False,
) -> None:
    """Give somebody golden items to learn from; each answer is told right or wrong, and why."""
    with reported(as_json):
        settings = settled()
        bundle, engine = load_bundle(settings.bundle_dir), opened(settings)
        found = open_training(engine, bundle, plan, person, number, seed, operator(), now())
        emit(document_of(found), as_json, f"round {found.id}: casework qa queue --as {person}")


@app.command("rounds")
def list_rounds(
    plan: Annotated[str | None, typer.Option(help="Only this plan's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List what has been drawn, the newest first."""
    with reported(as_json), reading(opened(settled())) as session:
        rows = [document_of(each) for each in rounds(session, plan, limit)]
        emit({"rounds": rows}, as_json, table_of(rows, ROUNDS))


app.command("queue")(qa_reviews.queue)
app.command("show")(qa_reviews.show)
app.command("answer")(qa_reviews.answer)
app.command("recuse")(qa_reviews.recuse_from)
app.command("agreement")(qa_statistics.agreement_of)
app.command("report")(qa_statistics.report_of)


def document_of(found: QaRound) -> dict[str, Any]:
    """A round as plain JSON."""
    return found.model_dump(mode="json", exclude={"document"})


def emit_round(found: QaRound, as_json: bool) -> None:
    """Print what was drawn."""
    document = document_of(found)
    emit(document, as_json, _strata_of(document["strata"], found.plan))
    told = f"round {found.id}: {found.sampled} of {found.population} decisions, seed {found.seed}"
    err.print(told, markup=False, highlight=False)


def _drawn(plan: str, seed: str, until: str, team: tuple[str, ...]) -> QaRound:
    settings = settled()
    bundle, closes = load_bundle(settings.bundle_dir), _ends(until)
    found = draw_round(
        opened(settings), bundle, plan, closes, operator(), now(), seed=seed or None, team=team
    )
    if found is None:
        days = bundle.qa[plan].window_days
        window = "day" if days == 1 else f"{days} days"
        raise InputError(
            f"plan {plan} finds no decisions in the {window} to {closes.isoformat()}",
            hint="casework qa preview shows its population; --until names another day",
        )
    return found


def _ends(until: str) -> datetime:
    """When the window ends: at the time given, in UTC where it has no zone, or last midnight.

    Raises:
        InputError: it is no ISO 8601 date or time.
    """
    if not until:
        return midnight(now())
    try:
        given = datetime.fromisoformat(until)
    except ValueError as error:
        raise InputError(
            f"{until} is no day and no time", hint="for example 2026-03-02 or 2026-03-02T12:00Z"
        ) from error
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def _strata_of(strata: list[dict[str, Any]], title: str) -> Any:
    rows = [
        {
            **row,
            "stratum": ", ".join(row["stratum"].values()) or "all",
            "probability": f"{row['probability']:.3f}",
        }
        for row in strata
    ]
    return table_of(rows, STRATA, title)


def _told(document: dict[str, Any]) -> list[str]:
    margin, needed = document["expected_margin"], document["size_for_wanted_margin"]
    points = "cannot be told" if margin is None else f"{100 * margin:.1f} points to either side"
    kind = " from each stratum" if document["method"] == "fixed" else ""
    size = "more than there are" if needed is None else f"{needed}{kind}"
    return [
        f"{document['sampled']} of {document['population']} decisions, "
        f"{document['reviews']} reviews, {document['hours']} hours",
        f"expected precision: {points}, confidence {document['confidence']:.0%}",
        f"for {100 * document['wanted_margin']:g} points: {size}",
    ]
