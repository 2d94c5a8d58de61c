"""``casework people``: who may decide."""

import sys
from getpass import getpass
from typing import Annotated, Final

import typer

from casework.errors import InputError, PolicyError
from casework.gates import Role
from casework.policy.bundle import load_bundle
from casework.policy.faults import nearest
from casework.store.accounts import end_sessions, make_link, set_password
from casework.store.engine import reading, transaction
from casework.store.identities import identities, link, unlink
from casework.store.people import add_person, change_person, limit_access, people, place_person
from casework.store.tables import Person
from casework.vendors import Phase
from deployments.cli.output import Json, emit, err, out, reported, table_of
from deployments.cli.setting import now, opened, operator, set_up, settled
from deployments.cli.times import moment

app = typer.Typer(no_args_is_help=True)

Roles = Annotated[list[str] | None, typer.Option("--role", help="A role; may be given again.")]
Queues = Annotated[
    list[str] | None, typer.Option("--queue", help="A queue, * for all; may be given again.")
]

COLUMNS = ("id", "name", "roles", "queues", "vendor", "team", "phase", "active", "access_until")
#: Roles that are there to answer at gates.
ANSWERING: Final = frozenset({Role.ANALYST, Role.SENIOR, Role.PARTNER})

ACCOUNTS = ("person", "system", "external_id", "linked_at")

Vendor = Annotated[str | None, typer.Option(help="Whom they work for; empty: for us.")]
System = Annotated[str, typer.Option(help="The other system: slack, pagerduty, jira or oidc.")]
Account = Annotated[str, typer.Option("--id", help="The account's id there.")]


@app.command()
def add(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    role: Roles = None,
    queue: Queues = None,
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    vendor: Vendor = None,
    as_json: Json = False,
) -> None:
    """Add someone who may answer at gates."""
    with reported(as_json), transaction(set_up(settled())) as session:
        added = add_person(
            session,
            person,
            name=name or person,
            roles=role or [],
            queues=queue or ["*"],
            vendor=vendor or None,
            by=operator(),
            now=now(),
        )
        row = added.model_dump(mode="json")
        emit(row, as_json, table_of([row], COLUMNS))
        _warn_of_queues(added)


@app.command()
def change(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    role: Roles = None,
    queue: Queues = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether they may answer.")
    ] = None,
    vendor: Vendor = None,
    as_json: Json = False,
) -> None:
    """Change what someone may do; what is not given stays as it is."""
    with reported(as_json), transaction(opened(settled())) as session:
        changed = change_person(
            session,
            person,
            roles=role,
            queues=queue,
            active=active,
            vendor=vendor,
            by=operator(),
            now=now(),
        )
        row = changed.model_dump(mode="json")
        emit(row, as_json, table_of([row], COLUMNS))
        if role is not None or queue is not None:
            _warn_of_queues(changed)


@app.command()
def place(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    vendor: Vendor = None,
    team: Annotated[str | None, typer.Option(help="Their team; its vendor is theirs.")] = None,
    since: Annotated[str, typer.Option(help="The first day; default: now.")] = "",
    phase: Annotated[
        Phase | None, typer.Option(help="How far they have come; QA looks accordingly.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say for whom somebody works, in which team and phase, from a day on."""
    with reported(as_json), transaction(opened(settled())) as session:
        placed = place_person(
            session,
            person,
            vendor=vendor,
            team=team,
            since=moment(since, now(), ago=True) if since else None,
            phase=phase,
            by=operator(),
            now=now(),
        )
        row = placed.model_dump(mode="json")
        emit(row, as_json, table_of([row], COLUMNS))


@app.command()
def access(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    until: Annotated[str, typer.Option(help="When it ends, a time or 30d; empty: never.")] = "",
    as_json: Json = False,
) -> None:
    """Set the end of somebody's access: from then on the guard and the console refuse them."""
    with reported(as_json), transaction(opened(settled())) as session:
        ends = moment(until, now()) if until else None
        row = limit_access(session, person, ends, operator(), now()).model_dump(mode="json")
        emit(row, as_json, table_of([row], COLUMNS))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List everybody."""
    with reported(as_json), reading(opened(settled())) as session:
        rows = [person.model_dump(mode="json") for person in people(session)]
        emit({"people": rows}, as_json, table_of(rows, COLUMNS))


@app.command("link")
def link_(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    system: System,
    account: Account,
    as_json: Json = False,
) -> None:
    """Say that an account in another system is a person's: what it answers counts as theirs."""
    with reported(as_json), transaction(opened(settled())) as session:
        row = link(session, person, system, account, operator(), now()).model_dump(mode="json")
        emit(row, as_json, table_of([row], ACCOUNTS))


@app.command("unlink")
def unlink_(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    system: System,
    account: Account,
    as_json: Json = False,
) -> None:
    """Say that an account is no longer a person's."""
    with reported(as_json), transaction(opened(settled())) as session:
        unlink(session, person, system, account, operator(), now())
        row = {"person": person, "system": system, "external_id": account}
        emit(row, as_json, f"{account} in {system} is nobody's now")


@app.command()
def accounts(
    person: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    as_json: Json = False,
) -> None:
    """List the accounts that people have in other systems."""
    with reported(as_json), reading(opened(settled())) as session:
        rows = [identity.model_dump(mode="json") for identity in identities(session, person)]
        emit({"accounts": rows}, as_json, table_of(rows, ACCOUNTS))


@app.command("link-in")
def link_in(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    base: Annotated[
        str, typer.Option(help="Where the console is reached.")
    ] = "http://127.0.0.1:4280",
    as_json: Json = False,
) -> None:
    """Make a link that signs somebody in to the console once, within half an hour."""
    with reported(as_json), transaction(opened(settled())) as session:
        secret = make_link(session, person, operator(), now())
        link = f"{base.rstrip('/')}/sign-in/{secret}"
        emit({"person": person, "link": link}, as_json)
        if not as_json:
            out.print(link, markup=False, highlight=False, soft_wrap=True)


@app.command()
def password(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    as_json: Json = False,
) -> None:
    """Give somebody a password, read from standard input or asked for; their sessions end."""
    with reported(as_json):
        given = _password()
        with transaction(opened(settled())) as session:
            set_password(session, person, given, operator(), now())
        emit({"person": person, "password": "set"}, as_json, f"{person} has a new password")


@app.command("sign-out")
def sign_out(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    as_json: Json = False,
) -> None:
    """End every session that somebody has in the console."""
    with reported(as_json), transaction(opened(settled())) as session:
        ended = end_sessions(session, person, operator(), now())
        emit({"person": person, "ended": ended}, as_json, f"{ended} sessions ended")


def _warn_of_queues(person: Person) -> None:
    """Say of each queue that somebody was given why they may not answer there.

    Only of whoever answers at gates: leads, reviewers and auditors have queues for other things.
    """
    named = [name for name in person.queues if name != "*"]
    if not named or not ANSWERING.intersection(person.roles):
        return
    try:
        queues = load_bundle(settled().bundle_dir).queues
    except PolicyError:
        err.print("whether they may answer there is not checked: the policy bundle has faults")
        return
    for name in named:
        if name not in queues:
            told = f"the policy has no queue {name}; {nearest(name, queues, 'queue')}"
        elif queues[name].roles.isdisjoint(person.roles):
            roles = ", ".join(sorted(queues[name].roles))
            told = (
                f"{person.id} may not answer in {name}, which takes answers from: {roles}; "
                f"give one of these: casework people change {person.id} --role ROLE"
            )
        else:
            continue
        err.print(told, markup=False, highlight=False, soft_wrap=True)


def _password() -> str:
    """A password from the keyboard, unseen and twice, or from a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first, second = getpass("Password: "), getpass("The same again: ")
    if first != second:
        raise InputError("the two are not the same", hint="try again")
    return first
