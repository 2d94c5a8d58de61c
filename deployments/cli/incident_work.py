"""What is done in an incident, as commands of ``casework incident``."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import uuid4

import typer
from rich.markup import escape
from sqlmodel import Session

from casework.commanding import Act, act
from casework.errors import InputError
from casework.holds import Scope
from casework.incidents.audiences import Audience
from casework.incidents.partner_tasks import due_within
from casework.incidents.roles import IncidentRole
from casework.ledger.entries import Provenance
from casework.policy.bundle import load_bundle
from casework.policy.clock_entries import duration
from casework.store.holds import Placing, lift_hold, place_hold
from casework.store.incidents.cases import attach_cases, detach_cases
from casework.store.incidents.lifecycle import incident_by_id
from casework.store.incidents.notes import Telling, add_note, tell_update
from casework.store.incidents.roles import assume_role, renounce_role
from casework.store.incidents.work import add_follow_up, ask_partner, finish_follow_up, settle_task
from deployments.cli.output import Json, emit, out, reported
from deployments.cli.setting import actor, now, opened, settled
from deployments.cli.times import moment

T = TypeVar("T")

Incident = Annotated[str, typer.Argument(help="The incident's id.")]
As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]
Due = Annotated[str, typer.Option(help="By when: 45min, 2h, 3d or a time.")]
Key = Annotated[str, typer.Option(help="The same key says it once; the default is a new one.")]


def acted(incident: str | None, person: str, do: Act[T]) -> T:
    """Do something as a person, now, under the guard."""
    settings = settled()
    return act(opened(settings), incident, actor(person, settings), do, now=now())


def add(
    incident: Incident,
    cases: Annotated[list[str], typer.Argument(help="Cases: ids, or source:external id.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take them out instead.")] = False,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Put cases under an incident, or take them out."""
    with reported(as_json):
        change = detach_cases if remove else attach_cases
        changed = acted(incident, person, lambda s, by, at: change(s, incident, cases, by, at))
        word = "detached" if remove else "attached"
        emit({"incident": incident, word: changed}, as_json, f"{len(changed)} cases {word}")


def role(
    incident: Incident,
    name: Annotated[IncidentRole, typer.Argument(help="The role in the incident.")],
    holder: Annotated[str, typer.Argument(help="Who takes it.")],
    renounced: Annotated[bool, typer.Option("--renounce", help="They give it up instead.")] = False,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Give a role to a person, who takes it over from whoever held it."""
    with reported(as_json):
        change = renounce_role if renounced else assume_role
        done = acted(incident, person, lambda s, by, at: change(s, incident, name, holder, by, at))
        word = "is no longer" if renounced else "is"
        document = {"incident": incident, "role": name, "person": holder, "changed": done}
        emit(document, as_json, f"{holder} {word} {name.replace('_', ' ')}")


def note(
    incident: Incident,
    text: Annotated[str, typer.Argument(help="The note; it stays in the store.")],
    corrects: Annotated[int | None, typer.Option(help="The note that this one corrects.")] = None,
    key: Key = "",
    person: As = "",
    as_json: Json = False,
) -> None:
    """Add a note. None is ever changed; a further note corrects it."""
    with reported(as_json):

        def do(session: Session, by: Provenance, at: datetime) -> int:
            more: dict[str, Any] = {"key": key or uuid4().hex, "corrects": corrects}
            return add_note(session, incident, text, **more, by=by, now=at).number

        number = acted(incident, person, do)
        emit({"incident": incident, "note": number}, as_json, f"note {number}")


def task(
    incident: Incident,
    partner: Annotated[str, typer.Argument(help="The team that owes it.")] = "",
    what: Annotated[str, typer.Argument(help="What is asked for; it stays in the store.")] = "",
    due: Due = "",
    within: Annotated[
        str, typer.Option(help="Or within so much of the team's business time: 90m, 4h.")
    ] = "",
    done: Annotated[int | None, typer.Option(help="This task came.")] = None,
    cancel: Annotated[int | None, typer.Option(help="This task is not needed any more.")] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Ask a partner team for something by a time, or say that it came."""
    with reported(as_json):
        _one_of(bool(partner), done is not None, cancel is not None)
        if partner and bool(due) is bool(within):
            raise InputError("by when is it owed?", hint="give --due or --within, for example 2h")

        def do(session: Session, by: Provenance, at: datetime) -> dict[str, Any]:
            number = done if done is not None else cancel
            if number is None:
                until = _within(session, incident, partner, within, at) if within else None
                until = until or moment(due, at)
                row = ask_partner(session, incident, partner, what, until, by, at)
            else:
                row = settle_task(session, incident, number, done=done is not None, by=by, now=at)
            return row.model_dump(mode="json")

        row = acted(incident, person, do)
        told = f"task {row['number']}, owed by {row['partner']} until {row['due']}"
        emit({"task": row}, as_json, told)


def update(
    incident: Incident,
    macro: Annotated[str, typer.Argument(help="The macro of the policy it is made of.")],
    audience: Annotated[Audience, typer.Option(help="Who is told.")],
    values: Annotated[
        list[str] | None, typer.Option("--set", help="name=value; may be given again.")
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option(help="Send it to this destination; may be given again.")
    ] = None,
    key: Key = "",
    person: As = "",
    as_json: Json = False,
) -> None:
    """Make a status update of a macro, keep it, print it and send it where it is wanted."""
    with reported(as_json):
        chosen = tuple(dict.fromkeys(to or ()))
        telling = Telling(key or uuid4().hex, audience, macro, _values(values or []), chosen)
        bundle = load_bundle(settled().bundle_dir)

        def do(session: Session, by: Provenance, at: datetime) -> dict[str, Any]:
            return tell_update(session, incident, telling, bundle, by, at).model_dump(mode="json")

        row = acted(incident, person, do)
        emit({"update": row, "to": chosen}, as_json, escape(row["text"]))
        if chosen and not as_json:
            where = ", ".join(chosen)
            out.print(f"to {where}: sent within a minute, or by casework effects send")


def followup(
    incident: Incident,
    what: Annotated[str, typer.Argument(help="What will be done; it stays in the store.")] = "",
    owner: Annotated[str, typer.Option(help="Whose it is: a person's id, or a team.")] = "",
    due: Due = "",
    done: Annotated[int | None, typer.Option(help="This one is done.")] = None,
    person: As = "",
    as_json: Json = False,
) -> None:
    """Note what will be done so that it does not come again, or that it was done."""
    with reported(as_json):
        _one_of(bool(what), done is not None)
        if what and not (owner and due):
            raise InputError("whose is it, and by when?", hint="give --owner and --due")

        def do(session: Session, by: Provenance, at: datetime) -> dict[str, Any]:
            if done is not None:
                return finish_follow_up(session, incident, done, by, at).model_dump(mode="json")
            row = add_follow_up(session, incident, what, owner, moment(due, at), by, at)
            return row.model_dump(mode="json")

        row = acted(incident, person, do)
        emit({"follow_up": row}, as_json, f"follow-up {row['number']} of {row['owner']}")


def hold(
    incident: Incident,
    source: Annotated[str, typer.Option(help="Cases of this source.")] = "",
    rule: Annotated[str, typer.Option(help="Cases that this rule would close.")] = "",
    subject: Annotated[str, typer.Option(help="Cases about this subject.")] = "",
    category: Annotated[str, typer.Option(help="Cases that its rules would close.")] = "",
    cases: Annotated[bool, typer.Option("--cases", help="The incident's own cases.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it stays in the store.")] = "",
    lift: Annotated[str, typer.Option(help="Lift this hold.")] = "",
    person: As = "",
    as_json: Json = False,
) -> None:
    """Keep the machine from closing cases of one scope, or let it again."""
    with reported(as_json):
        scopes = {Scope.SOURCE: source, Scope.RULE: rule, Scope.SUBJECT: subject}
        given = {**scopes, Scope.CATEGORY: category, Scope.CASES: "" if not cases else "cases"}
        chosen = [(scope, value) for scope, value in given.items() if value]
        _one_of(bool(lift), *(bool(value) for value in given.values()))
        bundle = load_bundle(settled().bundle_dir)

        def do(session: Session, by: Provenance, at: datetime) -> dict[str, Any]:
            if lift:
                return lift_hold(session, incident, lift, by, at).model_dump(mode="json")
            [(scope, value)] = chosen
            wanted = Placing(scope, "" if scope is Scope.CASES else value, reason)
            row = place_hold(session, incident, wanted, bundle, by, at)
            return row.model_dump(mode="json")

        row = acted(incident, person, do)
        stands = "lifted" if row["lifted_at"] else "active"
        emit({"hold": row}, as_json, f"{row['id']} over {row['scope']} {row['value']}: {stands}")


#: The commands of this module, by name.
COMMANDS: Final[dict[str, Callable[..., None]]] = {
    each.__name__: each for each in (add, role, note, task, update, followup, hold)
}


def _within(session: Session, incident: str, partner: str, length: str, at: datetime) -> datetime:
    """The end of so much of a partner team's business time, as the policy in force has it.

    Raises:
        InputError: it is no length.
        NotFound: there is no such incident.
    """
    severity = incident_by_id(session, incident).severity
    try:
        wanted = duration(length)
    except ValueError as error:
        raise InputError(f"{length!r} is no length", hint=str(error)) from error
    return due_within(load_bundle(settled().bundle_dir), partner, severity, wanted, at)


def _one_of(*given: bool) -> None:
    if sum(given) != 1:
        raise InputError("say one thing at a time", hint="see --help")


def _values(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not name or not mark for name, mark, _ in pairs):
        raise InputError("--set takes name=value", hint="for example --set next_update='15:00 UTC'")
    return {name: value for name, _, value in pairs}
