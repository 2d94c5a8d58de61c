"""Home, queues, and the next case."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from casework.console import doing, urls
from casework.console.access import Capability
from casework.console.contexts import Desk, GivingTicked, Pause, QueuePage
from casework.console.day import Seen, seen_today
from casework.console.giving import give_ticked, giving_in
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.ports import Console
from casework.console.rendering import Page, render
from casework.errors import NotFound
from casework.exposure import Level
from casework.gates import ActorKind
from casework.store.desk import board
from casework.store.engine import reading
from casework.store.news import newest_entry
from casework.store.next_gates import next_gate
from casework.store.people import answering
from casework.store.qa.blinding import hidden_from
from casework.store.worklist import page_of_queue

router = APIRouter()

#: Rows on one page of a queue.
ROWS: Final = 50


def page(console: Console, visit: Visit, title: str) -> Page:
    """What surrounds the context of a page."""
    near = ""
    if visit.viewer.may(Capability.WORK):
        with reading(console.engine) as session:
            seen = seen_today(session, console, visit.viewer.id)
        near = seen.used if seen.level is not Level.FINE else ""
    return Page(title, visit, console.clock(), console.idle_minutes, near)


def queues_of(console: Console, visit: Visit) -> list[str]:
    """The queues in which somebody answers, in the order of the bundle."""
    return [queue.id for queue in console.bundle.queues.values() if visit.viewer.answers_in(queue)]


@router.get(urls.HOME)
def home(console: TheConsole, visit: TheVisit, done: str = "") -> HTMLResponse:
    """What waits in one's queues."""
    around = page(console, visit, "Your queues")
    with reading(console.engine) as session:
        entry = newest_entry(session)
        waiting = board(session, queues_of(console, visit), around.now, visit.viewer.id)
    titles = {name: queue.title for name, queue in console.bundle.queues.items()}
    return render("home.html", {"page": around, "desk": Desk(waiting, titles, entry), "done": done})


@router.get("/queues/{queue}")
def queue_page(console: TheConsole, visit: TheVisit, queue: str, after: str = "") -> HTMLResponse:
    """The gates that wait in a queue, in the order in which they come up."""
    return _queue(console, visit, queue, after)


@router.post(
    "/queues/{queue}/assign",
    dependencies=[Depends(allowed(Capability.WORK)), Depends(allowed(Capability.LEAD))],
)
def give(
    console: TheConsole,
    visit: OurForm,
    queue: str,
    person: Annotated[str, Form()] = "",
    gate: Annotated[tuple[str, ...], Form()] = (),
) -> HTMLResponse:
    """Give gates of a queue to a named person, each for itself; what is refused says why."""
    return _queue(console, visit, queue, given=give_ticked(console, visit, gate[:ROWS], person))


def _queue(
    console: Console,
    visit: Visit,
    name: str,
    after: str = "",
    given: GivingTicked | None = None,
) -> HTMLResponse:
    queue = console.bundle.queues.get(name)
    if queue is None or not visit.viewer.sees(queue):
        raise NotFound("there is no such queue among yours")
    around = page(console, visit, queue.title)
    with reading(console.engine) as session:
        entry = newest_entry(session)
        rows = page_of_queue(session, name, around.now, ROWS + 1, after, visit.viewer.id)
        giving = giving_in(session, visit, [queue], given)
        masked = hidden_from(
            session, visit.viewer.id, {row.case.id for row in rows if row.is_reviewed}
        )
    following = urls.queue(name, rows[ROWS - 1].gate.id) if len(rows) > ROWS else ""
    shown = QueuePage(name, queue.title, rows[:ROWS], following, giving, entry, masked)
    return render("queue.html", {"page": around, "queue": shown})


@router.post(urls.NEXT, dependencies=[Depends(allowed(Capability.WORK))])
def take_next(
    console: TheConsole, visit: OurForm, anyway: Annotated[bool, Form()] = False
) -> Response:
    """Claim the most urgent case that one may answer, and go to it.

    Who has seen as much hard content as a day should hold is given other work first; where there
    is none, a pause is suggested.
    """
    with reading(console.engine) as session:
        seen = seen_today(session, console, visit.viewer.id)
    sparing = seen.level is Level.SPENT and not anyway
    gate = doing.take_next(console, visit, sparing=sparing)
    if gate is None and sparing and _anything_waits(console, visit):
        return pause(console, visit, seen, urls.NEXT)
    return RedirectResponse(urls.case(gate.case_id) if gate else urls.HOME + "?done=all", 303)


def pause(console: Console, visit: Visit, seen: Seen, onward: str) -> HTMLResponse:
    """Suggest a pause, with a way to go on all the same."""
    around = page(console, visit, "Time for a pause")
    return render("pause.html", {"page": around, "pause": Pause(seen.used, onward)})


def _anything_waits(console: Console, visit: Visit) -> bool:
    with reading(console.engine) as session:
        person = answering(session, visit.viewer.id, ActorKind.PERSON)
        return person is not None and next_gate(session, person, console.clock()) is not None


@router.get(urls.FIND)
def find(console: TheConsole, visit: TheVisit, reference: str = "") -> RedirectResponse:
    """Go to a case by its id, its gate's id, or its source and external id."""
    return RedirectResponse(urls.case(doing.named_case(console, visit, reference)), 303)
