"""``casework people``: who may decide."""

from typing import Annotated

import typer

from casework.store.engine import reading, transaction
from casework.store.people import add_person, change_person, people
from deployments.cli.output import Json, emit, reported, table_of
from deployments.cli.setting import now, opened, operator, set_up, settled

app = typer.Typer(no_args_is_help=True)

Roles = Annotated[list[str] | None, typer.Option("--role", help="A role; may be given again.")]
Queues = Annotated[
    list[str] | None, typer.Option("--queue", help="A queue, * for all; may be given again.")
]

Vendor = Annotated[str | None, typer.Option(help="Whom they work for; empty: for us.")]

COLUMNS = ("id", "name", "roles", "queues", "vendor", "active")


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
