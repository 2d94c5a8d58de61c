"""``casework people``: who may decide."""

from typing import Annotated

import typer

from casework.store.engine import reading, transaction
from casework.store.identities import identities, link, unlink
from casework.store.people import add_person, change_person, people
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import now, opened, operator, set_up, settled

app = typer.Typer(no_args_is_help=True)

Roles = Annotated[list[str] | None, typer.Option("--role", help="A role; may be given again.")]
Queues = Annotated[
    list[str] | None, typer.Option("--queue", help="A queue, * for all; may be given again.")
]

COLUMNS = ("id", "name", "roles", "queues", "vendor", "active")
ACCOUNTS = ("person", "system", "external_id", "linked_at")

Vendor = Annotated[str | None, typer.Option(help="Whom they work for; empty: for us.")]
System = Annotated[str, typer.Option(help="The other system: slack, pagerduty or jira.")]
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
