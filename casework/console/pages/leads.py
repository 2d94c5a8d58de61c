"""Leads: what waits, runs out, failed outside or could not be read; and incidents."""

from typing import Annotated, Final, Literal, TypeVar

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from casework.console import doing, urls
from casework.console.access import Capability
from casework.console.contexts import Desk, GivingTicked, Listing
from casework.console.giving import give_ticked, giving_in
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.lead_contexts import IncidentPage
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.rendering import render
from casework.effects import EffectStatus
from casework.errors import CaseworkError, Conflict, InputError
from casework.incidents.report import report
from casework.incidents.telling import tell
from casework.store.desk import SOON, board
from casework.store.engine import reading, transaction
from casework.store.incidents.lifecycle import list_incidents
from casework.store.incidents.story import story_of
from casework.store.outbox import list_effects
from casework.store.qa.blinding import hidden_from, hidden_in_story
from casework.store.quarantine import discard_row, list_rows
from casework.store.retrying import Correction, changes_of
from casework.store.running_clocks import running_clocks

router = APIRouter(dependencies=[Depends(allowed(Capability.LEAD))])

#: Of what is of all queues.
OVERVIEW: Final = [Depends(allowed(Capability.OVERVIEW))]

T = TypeVar("T")

#: Rows on one page of a list.
ROWS: Final = 100

#: Which clocks are listed.
Show = Literal["all", "breached", "soon"]

Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get(urls.LEADS)
def boards(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """What waits in each queue, what is overdue or soon due there, and what is on hold."""
    around = page(console, visit, "Boards")
    with reading(console.engine) as session:
        queues = doing.queues_seen(console, visit)
        waiting = board(session, queues, around.now, visit.viewer.id)
    titles = {name: queue.title for name, queue in console.bundle.queues.items()}
    return render("leads_boards.html", {"page": around, "desk": Desk(waiting, titles)})


@router.get(urls.CLOCKS)
def clocks(console: TheConsole, visit: TheVisit, show: Show = "all") -> HTMLResponse:
    """The clocks that go on, what is due first at the top."""
    return _clocks(console, visit, show)


@router.post(urls.CLOCKS_ASSIGN)
def give(
    console: TheConsole,
    visit: OurForm,
    show: Show = "all",
    person: Annotated[str, Form()] = "",
    gate: Annotated[tuple[str, ...], Form()] = (),
) -> HTMLResponse:
    """Give the gates of ticked clocks to a named person, each for itself."""
    return _clocks(console, visit, show, give_ticked(console, visit, gate[:ROWS], person))


def _clocks(
    console: Console, visit: Visit, show: Show, given: GivingTicked | None = None
) -> HTMLResponse:
    around = page(console, visit, "Clocks")
    seen = doing.queues_seen(console, visit)
    with reading(console.engine) as session:
        rows = running_clocks(
            session,
            around.now,
            breached=show == "breached",
            due_by=around.now + SOON if show == "soon" else None,
            queues=seen,
            limit=ROWS,
            viewer=visit.viewer.id,
        )
        giving = giving_in(session, visit, [console.bundle.queues[name] for name in seen], given)
    context = {"page": around, "clocks": Listing(rows, ""), "show": show, "giving": giving}
    return render("leads_clocks.html", context)


@router.get(urls.EFFECTS)
def effects(console: TheConsole, visit: TheVisit, offset: Offset = 0) -> HTMLResponse:
    """What decisions were to cause outside, and nobody tries any more."""
    with reading(console.engine) as session:
        rows = list_effects(
            session,
            status=EffectStatus.DEAD,
            limit=ROWS + 1,
            offset=offset,
            viewer=visit.viewer.id,
            queues=visit.viewer.reads,
        )
        hidden = hidden_from(session, visit.viewer.id, {row.case_id for row in rows if row.case_id})
    around = page(console, visit, "Dead effects")
    context = {"page": around, "effects": _listing(rows, urls.EFFECTS, offset), "hidden": hidden}
    return render("leads_effects.html", context)


@router.post(urls.RETRY)
def retry(
    console: TheConsole, visit: OurForm, key: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Have a dead effect tried again, under its own key."""
    doing.retry_dead(console, visit, key)
    return RedirectResponse(urls.EFFECTS, 303)


@router.get(urls.QUARANTINE, dependencies=OVERVIEW)
def quarantine(console: TheConsole, visit: TheVisit, offset: Offset = 0) -> HTMLResponse:
    """Rows that could not become cases, and why; never what they say."""
    return _quarantine(console, visit, offset)


@router.post(urls.QUARANTINE + "/{row}/retry", dependencies=OVERVIEW)
def retry_quarantined(
    console: TheConsole,
    visit: OurForm,
    row: str,
    fields: Annotated[str, Form()] = "",
    data: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Read a row again, as it was or corrected, and open its case; a refusal says why."""
    try:
        changes = changes_of([line for line in fields.splitlines() if line.strip()])
        raw = data.encode() if data.strip() else None
        done = doing.retry_quarantined(console, visit, row, Correction(raw, changes))
    except (Conflict, InputError) as refusal:
        return _quarantine(console, visit, refusal=refusal)
    told = f"{row}: {done.outcome} {done.case_id}; it is decided with the next batch."
    return _quarantine(console, visit, told=told)


@router.post(urls.QUARANTINE + "/{row}/discard", dependencies=OVERVIEW)
def discard_quarantined(
    console: TheConsole, visit: OurForm, row: str, reason: Annotated[str, Form()] = ""
) -> HTMLResponse:
    """Give a row up, for a reason that stays in the history."""
    try:
        with transaction(console.engine) as session:
            discard_row(session, row, reason, visit.by, console.clock())
    except (Conflict, InputError) as refusal:
        return _quarantine(console, visit, refusal=refusal)
    return _quarantine(console, visit, told=f"{row}: discarded.")


def _quarantine(
    console: Console,
    visit: Visit,
    offset: int = 0,
    told: str = "",
    refusal: CaseworkError | None = None,
) -> HTMLResponse:
    with reading(console.engine) as session:
        rows = list_rows(session, limit=ROWS + 1, offset=offset)
    around = page(console, visit, "Quarantine")
    listing = _listing(rows, urls.QUARANTINE, offset)
    problem = refusal.message if refusal else ""
    context = {"page": around, "quarantine": listing, "told": told, "problem": problem}
    return render("leads_quarantine.html", context, refusal.status if refusal else 200)


@router.get(urls.INCIDENTS, dependencies=OVERVIEW)
def incidents(console: TheConsole, visit: TheVisit, offset: Offset = 0) -> HTMLResponse:
    """Incidents, the most severe first."""
    with reading(console.engine) as session:
        rows = list_incidents(session, limit=ROWS + 1, offset=offset, viewer=visit.viewer.id)
    around = page(console, visit, "Incidents")
    context = {"page": around, "incidents": _listing(rows, urls.INCIDENTS, offset)}
    return render("leads_incidents.html", context)


@router.get(urls.INCIDENTS + "/{incident}", dependencies=OVERVIEW)
def incident_page(console: TheConsole, visit: TheVisit, incident: str) -> HTMLResponse:
    """One incident: roles, tasks, timeline, and its report as it stands now."""
    around = page(console, visit, f"Incident {incident}")
    with reading(console.engine) as session:
        whole = story_of(session, incident, visit.viewer.id)
        story = whole.without(hidden_in_story(session, visit.viewer.id, whole))
    told = [
        (each.at, each.actor, "" if each.chain == story.id else each.chain, tell(story, each, True))
        for each in story.moments
    ]
    shown = IncidentPage(story, told, report(story, around.now, words=True))
    return render("leads_incident.html", {"page": around, "incident": shown})


def _listing(rows: list[T], path: str, offset: int) -> Listing[T]:
    more = urls.further(path, offset=offset + ROWS) if len(rows) > ROWS else ""
    return Listing(rows[:ROWS], more)
