"""For leads: incidents, read and worked in under the guard that holds everywhere."""

from datetime import datetime
from uuid import uuid4

from fastapi import APIRouter, Depends
from sqlmodel import Session

from casework.commanding import Act, act
from casework.console.access import Capability
from casework.console.api.caller import Caller, needs
from casework.console.api.documents import ROWS, Cursor, Id, Limit, Listing
from casework.console.api.incident_documents import (
    IncidentOut,
    IncidentRow,
    NoteIn,
    OpeningIn,
    RoleIn,
    SeverityIn,
    StatusIn,
    UpdateIn,
    UpdateOut,
)
from casework.console.api.once import OnceRoute
from casework.console.api.problems import ANY, CHANGING, declared
from casework.console.identity import TheConsole, Visit
from casework.console.ports import Console
from casework.errors import InputError
from casework.incidents.report import report
from casework.ledger.entries import Provenance
from casework.policy.faults import nearest
from casework.store.engine import reading
from casework.store.incidents.lifecycle import (
    Opening,
    list_incidents,
    move_incident,
    open_incident,
    rate_incident,
)
from casework.store.incidents.notes import Telling, add_note, tell_update
from casework.store.incidents.reports import sign_off
from casework.store.incidents.roles import assume_role, renounce_role
from casework.store.incidents.story import story_of
from casework.store.qa.blinding import hidden_in_story
from casework.tokens import Scope

router = APIRouter(
    route_class=OnceRoute,
    tags=["incidents"],
    prefix="/incidents",
    dependencies=[Depends(needs(Scope.LEAD, Capability.OVERVIEW))],
)


@router.get("", responses=declared(ANY))
def incidents(
    console: TheConsole, visit: Caller, limit: Limit = ROWS, cursor: Cursor = None
) -> Listing[IncidentRow]:
    """Incidents, the most severe first."""
    with reading(console.engine) as session:
        rows = list_incidents(session, limit=limit + 1, after=cursor or "", viewer=visit.viewer.id)
    more = rows[limit - 1]["id"] if len(rows) > limit else None
    return Listing(items=[IncidentRow(**row) for row in rows[:limit]], next_cursor=more)


@router.get("/{incident}", responses=declared(ANY))
def incident(console: TheConsole, visit: Caller, incident: Id) -> IncidentOut:
    """One incident, with its report as it stands now."""
    return _told(console, visit, incident)


@router.post("", responses=declared(CHANGING))
def open_(console: TheConsole, visit: Caller, body: OpeningIn) -> IncidentOut:
    """Open an incident, once for each key."""
    known = console.bundle.categories
    if body.category is not None and body.category not in known:
        hint = nearest(body.category, known, "category")
        raise InputError(f"the policy has no category {body.category}", hint=hint)
    opening = Opening(
        body.key or uuid4().hex, body.title, body.severity, body.category, body.detected_at
    )

    def do(session: Session, by: Provenance, at: datetime) -> str:
        return open_incident(session, opening, by, at).id

    return _told(
        console, visit, act(console.engine, None, visit.viewer.id, do, now=console.clock())
    )


@router.post("/{incident}/assume", responses=declared(CHANGING))
def assume(console: TheConsole, visit: Caller, incident: Id, body: RoleIn) -> IncidentOut:
    """Give a role to a person, who takes it over from whoever held it."""
    person = body.person or visit.viewer.id
    return _done(
        console,
        visit,
        incident,
        lambda session, by, at: assume_role(session, incident, body.role, person, by, at),
    )


@router.post("/{incident}/renounce", responses=declared(CHANGING))
def renounce(console: TheConsole, visit: Caller, incident: Id, body: RoleIn) -> IncidentOut:
    """End a person's time in a role."""
    person = body.person or visit.viewer.id
    return _done(
        console,
        visit,
        incident,
        lambda session, by, at: renounce_role(session, incident, body.role, person, by, at),
    )


@router.post("/{incident}/notes", responses=declared(CHANGING))
def note(console: TheConsole, visit: Caller, incident: Id, body: NoteIn) -> IncidentOut:
    """Add a note."""

    def do(session: Session, by: Provenance, at: datetime) -> object:
        key = uuid4().hex
        return add_note(
            session, incident, body.text, key=key, corrects=body.corrects, by=by, now=at
        )

    return _done(console, visit, incident, do)


@router.post("/{incident}/updates", responses=declared(CHANGING))
def update(console: TheConsole, visit: Caller, incident: Id, body: UpdateIn) -> UpdateOut:
    """Make a status update of a macro, keep it, and send it where it is wanted."""
    chosen = tuple(dict.fromkeys(body.to))
    telling = Telling(uuid4().hex, body.audience, body.macro, body.values, chosen)

    def do(session: Session, by: Provenance, at: datetime) -> UpdateOut:
        told = tell_update(session, incident, telling, console.bundle, by, at)
        return UpdateOut(
            incident=incident, number=told.number, audience=told.audience, text=told.text
        )

    return act(console.engine, incident, visit.viewer.id, do, now=console.clock())


@router.post("/{incident}/move", responses=declared(CHANGING))
def move(console: TheConsole, visit: Caller, incident: Id, body: StatusIn) -> IncidentOut:
    """Say that an incident is contained, resolved or open again."""
    return _done(
        console,
        visit,
        incident,
        lambda session, by, at: move_incident(session, incident, body.status, by, at),
    )


@router.post("/{incident}/rate", responses=declared(CHANGING))
def rate(console: TheConsole, visit: Caller, incident: Id, body: SeverityIn) -> IncidentOut:
    """Change an incident's severity."""
    return _done(
        console,
        visit,
        incident,
        lambda session, by, at: rate_incident(session, incident, body.severity, by, at),
    )


@router.post("/{incident}/close", responses=declared(CHANGING))
def close(console: TheConsole, visit: Caller, incident: Id) -> IncidentOut:
    """Close an incident that is resolved and leaves nothing open; its report is kept."""
    return _done(
        console, visit, incident, lambda session, by, at: sign_off(session, incident, by, at)
    )


def _done(console: Console, visit: Visit, incident: str, do: Act[object]) -> IncidentOut:
    """Do something in an incident under its guard, and tell how it stands then."""
    act(console.engine, incident, visit.viewer.id, do, now=console.clock())
    return _told(console, visit, incident)


def _told(console: Console, visit: Visit, incident: str) -> IncidentOut:
    """An incident without what is kept from the viewer."""
    with reading(console.engine) as session:
        whole = story_of(session, incident, visit.viewer.id)
        story = whole.without(hidden_in_story(session, visit.viewer.id, whole))
    names = ("id", "title", "severity", "status", "opened_at", "closed_at")
    return IncidentOut(
        **{name: getattr(story, name) for name in names},
        cases=dict(story.cases),
        report=report(story, console.clock(), words=True),
    )
