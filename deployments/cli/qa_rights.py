"""``casework qa rights``: rights that errors speak against, and what leads make of it."""

from typing import Annotated, Any

import typer
from sqlmodel import Session

from casework.pausing import rule
from casework.policy.bundle import load_bundle
from casework.qa.rights import Ruling
from casework.store.engine import reading, transaction
from casework.store.people import person_by_id
from casework.store.policy import adopt_bundle
from casework.store.qa.rights import propose_pauses, rights, trained_since
from casework.store.tables import PausedRight
from casework.vendors import sees
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import actor, now, opened, operator, settled

app = typer.Typer(no_args_is_help=True)

As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]
Right = Annotated[str, typer.Argument(help="The proposal's id.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the ruling.")]

COLUMNS = ("id", "person", "threshold", "status", "denies", "accuracy", "upper", "n", "trained")


@app.command("list")
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="What was dismissed or given back, too.")
    ] = False,
    person: As = "",
    as_json: Json = False,
) -> None:
    """List proposals that wait for a lead, and rights that are paused."""
    with reported(as_json):
        settings = settled()
        with reading(opened(settings)) as session:
            own = person_by_id(session, actor(person, settings)).vendor
            rows = [
                _row(session, each)
                for each in rights(session, everything=everything)
                if sees(own, person_by_id(session, each.person).vendor)
            ]
        emit({"rights": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def check(as_json: Json = False) -> None:
    """Propose pausing wherever somebody has fallen below a threshold, as every night."""
    with reported(as_json):
        settings = settled()
        bundle = load_bundle(settings.bundle_dir)
        with transaction(opened(settings)) as session:
            adopt_bundle(session, bundle, operator(), now())
            found = propose_pauses(session, bundle, operator(), now())
            rows = [_row(session, each) for each in found]
        emit({"rights": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def confirm(right: Right, reason: Reason, person: As = "", as_json: Json = False) -> None:
    """Pause what is proposed: the guard refuses it from now on."""
    _rule(right, Ruling.CONFIRM, reason, person, as_json)


@app.command()
def dismiss(right: Right, reason: Reason, person: As = "", as_json: Json = False) -> None:
    """Dismiss a proposal; what was counted for it counts no more."""
    _rule(right, Ruling.DISMISS, reason, person, as_json)


@app.command()
def restore(right: Right, reason: Reason, person: As = "", as_json: Json = False) -> None:
    """Give a paused right back, after the training that the policy asks for."""
    _rule(right, Ruling.RESTORE, reason, person, as_json)


def _rule(right: str, ruling: Ruling, reason: str, person: str, as_json: bool) -> None:
    with reported(as_json):
        settings = settled()
        engine = opened(settings)
        found = rule(engine, right, ruling, reason, actor(person, settings), now=now())
        with reading(engine) as session:
            row = _row(session, found)
        emit(row, as_json, table_of([row], COLUMNS))


def _row(session: Session, right: PausedRight) -> dict[str, Any]:
    accuracy, upper = right.found["value"], right.found["high"]
    return {
        **right.model_dump(mode="json"),
        "accuracy": round(accuracy, 4),
        "upper": round(upper, 4),
        "n": right.found["n"],
        "trained": trained_since(session, right).as_dict(),
    }
