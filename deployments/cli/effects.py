"""``casework effects``: what decisions have caused outside, on its way, sent or dead."""

import asyncio
import os
from collections import Counter
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Engine

from casework.effects import EffectStatus
from casework.errors import InputError
from casework.policy.bundle import load_bundle
from casework.policy.faults import nearest
from casework.settings import Settings
from casework.store.breakers import breakers
from casework.store.cases import find_case
from casework.store.effects import discard_effect, retry_destination, retry_effect
from casework.store.engine import reading, transaction
from casework.store.outbox import (
    attempts_of,
    count_effects,
    effect_by_key,
    last_failure,
    list_effects,
)
from casework.store.qa.blinding import check_sighted, hidden_from
from casework.store.tables import QueuedEffect
from deployments.cli.output import HIDDEN, Json, emit, out, reported, table_of
from deployments.cli.setting import now, opened, operator, settled, sighted
from deployments.stack import running_api

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("key", "kind", "destination", "case_id", "status", "due_at", "attempts", "error")
COUNTS = ("sent", "failed", "dead", "held")

#: What of an effect says what was decided.
SAYING: Final = ("key", "kind", "destination", "data", "after", "reference", "error")

As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]
Key = Annotated[str, typer.Argument(help="The effect's key.")]
_STATUSES = ", ".join(EffectStatus)


@app.command("list")
def list_(
    status: Annotated[str, typer.Option(help=f"{_STATUSES} or all.")] = "all",
    destination: Annotated[str | None, typer.Option(help="Only to this destination.")] = None,
    case: Annotated[str | None, typer.Option(help="Only of this case.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    person: As = "",
    as_json: Json = False,
) -> None:
    """List effects, those due first at the head; not what they do from who may review the case."""
    with reported(as_json), sighted(person) as (session, viewer):
        found = list_effects(
            session,
            status=_status(status),
            destination=destination,
            case_id=find_case(session, case).id if case else None,
            limit=limit,
            offset=offset,
        )
        hidden = hidden_from(session, viewer, {row.case_id for row in found if row.case_id})
        rows = [_listed(row, row.case_id in hidden) for row in found]
        emit({"effects": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def show(key: Key, person: As = "", as_json: Json = False) -> None:
    """Show one effect with every attempt to send it; not to who may have to review its case."""
    with reported(as_json), sighted(person) as (session, viewer):
        found = effect_by_key(session, key)
        if found.case_id:
            check_sighted(session, viewer, found.case_id)
        effect = found.model_dump(mode="json")
        tries = [attempt.model_dump(mode="json") for attempt in attempts_of(session, key)]
        emit({"effect": effect, "attempts": tries}, as_json)
        if not as_json:
            facts = [{"field": name, "value": value} for name, value in effect.items()]
            out.print(table_of(facts, ("field", "value"), "Effect"))
            columns = ("number", "sender", "began_at", "ended_at", "outcome", "message")
            out.print(table_of(tries, columns, "Attempts"))


@app.command()
def retry(
    key: Annotated[str, typer.Argument(help="The effect's key.")] = "",
    destination: Annotated[
        str, typer.Option(help="Or all that failed there, once it is mended.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Have a dead or discarded effect tried again, or all that failed at a destination."""
    with reported(as_json):
        if bool(key) is bool(destination):
            raise InputError("what is to be retried?", hint="a key, or --destination NAME")
        settings = settled()
        if destination:
            _known(settings, destination)
        with transaction(opened(settings)) as session:
            if destination:
                tried = retry_destination(session, destination, operator(), now())
                document: dict[str, Any] = {"destination": destination, "retried": tried}
            else:
                document = retry_effect(session, key, operator(), now()).model_dump(mode="json")
        what = f"{document['retried']} effects" if destination else key
        emit(document, as_json, f"{what}: sent within a minute, or by casework effects send")


def _listed(row: QueuedEffect, hidden: bool) -> dict[str, Any]:
    document = row.model_dump(mode="json")
    return document | dict.fromkeys(SAYING, HIDDEN) if hidden else document


def _known(settings: Settings, destination: str) -> None:
    """
    Raises:
        InputError: the bundle in force has no destination of this name.
    """
    known = load_bundle(settings.bundle_dir).destinations
    if destination not in known:
        hint = nearest(destination, known, "destination")
        raise InputError(f"the policy has no destination {destination}", hint=hint)


@app.command()
def discard(
    key: Key,
    reason: Annotated[str, typer.Option(help="Why it may be given up; kept in the history.")],
    as_json: Json = False,
) -> None:
    """Give an effect up: it is not sent."""
    with reported(as_json):
        with transaction(opened(settled())) as session:
            found = discard_effect(session, key, reason, operator(), now())
            document = found.model_dump(mode="json")
        emit(document, as_json, f"{key}: discarded")


@app.command()
def send(as_json: Json = False) -> None:
    """Send what is due, here and now, beside whatever else sends."""
    with reported(as_json):
        settings = settled()
        counts = send_now(settings, opened(settings))
        emit(counts, as_json, table_of([counts], COUNTS))


@app.command()
def destinations(as_json: Json = False) -> None:
    """List the bundle's destinations: whether they are set up, how they do, what waits for them."""
    with reported(as_json):
        settings = settled()
        rows = _destinations(settings, opened(settings))
        columns = ("id", "type", "set_up", "breaker", "rests_until", "waiting", "dead", "failure")
        emit({"destinations": rows}, as_json, table_of(rows, columns))


def send_now(settings: Settings, engine: Engine) -> dict[str, int]:
    """Send what is due in this process; rates are held where Prefect runs."""
    if url := running_api(settings):
        os.environ["PREFECT_API_URL"] = url
    # Without a server Prefect would start one of its own to ask for the rate limits.
    os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
    from tasks.effects import send as drain
    from tasks.effects import sender_of

    return asyncio.run(drain(sender_of(settings, engine, operator())))


def _destinations(settings: Settings, engine: Engine) -> list[dict[str, Any]]:
    from tasks.destinations import url_of

    with reading(engine) as session:
        states, counted = breakers(session), count_effects(session)
        failures = {name: last_failure(session, name) for name in states}
    numbers: Counter[tuple[str, str]] = Counter()
    for each in counted:
        numbers[each["destination"], each["status"]] += each["effects"]
    rows = []
    for name, spec in load_bundle(settings.bundle_dir).destinations.items():
        breaker = states.get(name)
        rows.append(
            {
                "id": name,
                "type": spec.type,
                "set_up": bool(url_of(settings, spec)),
                "breaker": "open" if breaker and breaker.opened_at else "closed",
                "rests_until": breaker.rests_until if breaker else None,
                "waiting": numbers[name, EffectStatus.WAITING],
                "dead": numbers[name, EffectStatus.DEAD],
                "failure": failures.get(name),
            }
        )
    return rows


def _status(given: str) -> EffectStatus | None:
    if given != "all" and given not in set(EffectStatus):
        raise InputError(f"there is no status {given}", hint=f"{_STATUSES} or all")
    return None if given == "all" else EffectStatus(given)
