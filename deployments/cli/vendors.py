"""``casework vendors``: whose people decide for us, where, and how well."""

import sys
from typing import Annotated, Any

import typer
from sqlmodel import Session

from casework.errors import InputError, NotFound
from casework.policy.bundle import load_bundle
from casework.policy.faults import nearest
from casework.qa.scorecard_page import scorecard_page
from casework.settings import Settings
from casework.store.access import bound_vendor
from casework.store.engine import reading, transaction
from casework.store.people import people_of, person_by_id
from casework.store.qa.scorecards import scorecards, seen_vendors
from casework.store.tables import Vendor
from casework.store.vendors import (
    add_team,
    add_vendor,
    change_vendor,
    teams_of,
    vendor_by_id,
    vendors,
)
from casework.vendors import EVERY_QUEUE, sees
from deployments.cli.output import Json, emit, out, reported, table_of
from deployments.cli.setting import actor, now, opened, operator, pseudonymous, set_up, settled
from deployments.cli.times import moment

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("id", "title", "queues", "people", "teams", "sites", "access_until")
TEAMS = ("id", "title", "site", "added_at")
PEOPLE = ("id", "name", "team", "phase", "phase_since", "active", "access_until")

As = Annotated[str, typer.Option("--as", help="Your id; the default is CASEWORK_ACTOR.")]
VendorId = Annotated[str, typer.Argument(help="The vendor's id.")]
Queues = Annotated[
    list[str] | None,
    typer.Option(
        "--queue", help="A queue its people may see at most, * for all; may be given again."
    ),
]
Until = Annotated[str, typer.Option(help="End of all its people's access; empty: none.")]


@app.command()
def add(
    vendor: VendorId,
    title: Annotated[str, typer.Option(help="Its name for people.")] = "",
    access_until: Until = "",
    queue: Queues = None,
    as_json: Json = False,
) -> None:
    """Declare a vendor; its people see nothing outside the queues that it is given."""
    with reported(as_json):
        settings = settled()
        given = _known(settings, queue or [EVERY_QUEUE])
        with transaction(set_up(settings)) as session:
            add_vendor(
                session,
                vendor,
                title=title,
                access_until=moment(access_until, now()) if access_until else None,
                queues=given,
                by=operator(),
                now=now(),
            )
            _emit(session, vendor, as_json)


@app.command()
def change(
    vendor: VendorId,
    title: Annotated[str | None, typer.Option(help="Its name for people.")] = None,
    access_until: Annotated[
        str | None, typer.Option(help="End of all its people's access; empty: none.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a vendor's title, or the end of its people's access; what is not given stays."""
    with reported(as_json), transaction(opened(settled())) as session:
        ends = vendor_by_id(session, vendor).access_until
        if access_until is not None:
            ends = moment(access_until, now()) if access_until else None
        change_vendor(session, vendor, title=title, access_until=ends, by=operator(), now=now())
        _emit(session, vendor, as_json)


@app.command("queues")
def queues_(vendor: VendorId, queue: Queues = None, as_json: Json = False) -> None:
    """Set the queues that a vendor's people may see at most; what they have elsewhere goes back."""
    with reported(as_json):
        settings = settled()
        given = _known(settings, queue or [])
        with transaction(opened(settings)) as session:
            bound_vendor(session, vendor, given, operator(), now())
            _emit(session, vendor, as_json)


@app.command()
def team(
    name: Annotated[str, typer.Argument(help="The team's id.")],
    site: Annotated[str, typer.Option(help="Where it works.")],
    vendor: Annotated[str | None, typer.Option(help="Whose it is; left out: ours.")] = None,
    title: Annotated[str, typer.Option(help="Its name for people.")] = "",
    as_json: Json = False,
) -> None:
    """Declare a team at a site, a vendor's or our own."""
    with reported(as_json), transaction(set_up(settled())) as session:
        found = add_team(
            session, name, site=site, title=title, vendor=vendor, by=operator(), now=now()
        )
        row = found.model_dump(mode="json")
        emit(row, as_json, table_of([row], ("id", "title", "vendor", "site")))


@app.command("list")
def list_(person: As = "", as_json: Json = False) -> None:
    """List the vendors that you may see: all of them, or your own."""
    with reported(as_json):
        settings = settled()
        with reading(opened(settings)) as session:
            own = person_by_id(session, actor(person, settings)).vendor
            found = [each for each in vendors(session) if sees(own, each.id)]
            rows = [_row(session, each) for each in found]
        emit({"vendors": rows}, as_json, table_of(rows, COLUMNS))


@app.command()
def show(vendor: VendorId, person: As = "", as_json: Json = False) -> None:
    """Show a vendor: its teams, sites and people."""
    with reported(as_json):
        settings = settled()
        with reading(opened(settings)) as session:
            found = seen_vendor(session, vendor, actor(person, settings))
            document: dict[str, Any] = {
                "vendor": _row(session, found),
                "teams": [each.model_dump(mode="json") for each in teams_of(session, vendor)],
                "people": [each.model_dump(mode="json") for each in people_of(session, vendor)],
            }
        emit(document, as_json)
        if not as_json:
            out.print(table_of([document["vendor"]], COLUMNS, "Vendor"))
            out.print(table_of(document["teams"], TEAMS, "Teams"))
            out.print(table_of(document["people"], PEOPLE, "People"))


@app.command("scorecard")
def scorecard_of(
    vendor: Annotated[str, typer.Argument(help="One vendor; left out: all you may see.")] = "",
    since: Annotated[str, typer.Option(help="A time, or so long ago.")] = "30d",
    until: Annotated[str, typer.Option(help="A time, or so long ago, not in it.")] = "0d",
    person: As = "",
    as_json: Json = False,
) -> None:
    """Print scorecards as Markdown: volume, quality, agreement, time, escalation, handling.

    Vendors see their own alone; people are named by pseudonyms.
    """
    with reported(as_json):
        settings = settled()
        ends = moment(until, now(), ago=True)
        with reading(opened(settings)) as session:
            shown = seen_vendors(session, actor(person, settings), vendor or None)
            document = scorecards(
                session, shown, moment(since, now(), ago=True), ends, pseudonymous(settings)
            )
        emit(document, as_json)
        if not as_json:
            sys.stdout.write(scorecard_page(document))


def seen_vendor(session: Session, vendor: str, viewer: str) -> Vendor:
    """A vendor as somebody may see it; another's is refused in the same words as none.

    Raises:
        NotFound: there is no such vendor among theirs, or nobody of the viewer's id.
    """
    own = person_by_id(session, viewer).vendor
    if not sees(own, vendor):
        raise NotFound(f"there is no vendor {vendor} among yours", hint="casework vendors list")
    return vendor_by_id(session, vendor)


def _row(session: Session, vendor: Vendor) -> dict[str, Any]:
    teams = teams_of(session, vendor.id)
    return {
        **vendor.model_dump(mode="json"),
        "people": len(people_of(session, vendor.id)),
        "teams": [each.id for each in teams],
        "sites": sorted({each.site for each in teams}),
    }


def _known(settings: Settings, given: list[str]) -> list[str]:
    """Queues as they were given, each of which the bundle has.

    Raises:
        InputError: it has one of them not.
    """
    known = load_bundle(settings.bundle_dir).queues if {*given} - {EVERY_QUEUE} else {}
    for queue in given:
        if queue != EVERY_QUEUE and queue not in known:
            raise InputError(f"there is no queue {queue}", hint=nearest(queue, known))
    return given


def _emit(session: Session, vendor: str, as_json: bool) -> None:
    row = _row(session, vendor_by_id(session, vendor))
    emit(row, as_json, table_of([row], COLUMNS))
