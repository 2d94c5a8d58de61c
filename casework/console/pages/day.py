"""A reviewer's day: counters, the exposure budget, and how marked evidence is shown to them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from casework.console import urls
from casework.console.access import Capability
from casework.console.contexts import DayPage
from casework.console.day import done_today, seen_today
from casework.console.identity import OurForm, TheConsole, TheVisit, allowed
from casework.console.pages.desk import page
from casework.console.rendering import render
from casework.store.engine import reading, transaction
from casework.store.preferences import prefer, preference_of

router = APIRouter()


@router.get(urls.DAY, dependencies=[Depends(allowed(Capability.WORK))])
def day(console: TheConsole, visit: TheVisit, done: str = "") -> HTMLResponse:
    """What one has done today, how long, and how much hard content one has seen."""
    with reading(console.engine) as session:
        did = done_today(session, console, visit.viewer.id)
        seen = seen_today(session, console, visit.viewer.id)
        preference = preference_of(session, visit.viewer.id, console.clock())
    titles = {name: each.title for name, each in console.bundle.categories.items()}
    shown = DayPage(did, seen, titles, preference)
    context = {"page": page(console, visit, "Your day"), "shown": shown, "done": bool(done)}
    return render("day.html", context)


@router.post(urls.PREFERENCES, dependencies=[Depends(allowed(Capability.WORK))])
def keep(
    console: TheConsole,
    visit: OurForm,
    greyscale: Annotated[bool, Form()] = False,
    blur: Annotated[bool, Form()] = False,
) -> RedirectResponse:
    """Keep how one wants marked evidence shown."""
    with transaction(console.engine) as session:
        prefer(session, greyscale=greyscale, blur=blur, by=visit.by, now=console.clock())
    return RedirectResponse(urls.further(urls.DAY, done="kept"), 303)


@router.get(urls.HERE)
def still_here(visit: TheVisit) -> Response:
    """Say to a covered page whether its session goes on."""
    return Response(status_code=204)
