"""Home, queues, and the next case."""

from typing import Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from casework.console import urls
from casework.console.access import Capability
from casework.console.contexts import Desk, QueuePage
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.ports import Console
from casework.console.rendering import Page, render
from casework.console.showing import is_readable
from casework.errors import NotFound
from casework.gates import ActorKind
from casework.store.assignment import claim_next
from casework.store.cases import find_case
from casework.store.desk import board
from casework.store.engine import reading, transaction
from casework.store.people import answering
from casework.store.tables import Gate
from casework.store.worklist import page_of_queue

router = APIRouter()

#: Rows on one page of a queue.
ROWS: Final = 50


def page(console: Console, visit: Visit, title: str) -> Page:
    """What surrounds the context of a page."""
    return Page(title, visit, console.clock(), console.idle_minutes)


def queues_of(console: Console, visit: Visit) -> list[str]:
    """The queues in which somebody answers, in the order of the bundle."""
    return [queue.id for queue in console.bundle.queues.values() if visit.viewer.answers_in(queue)]


@router.get(urls.HOME)
def home(console: TheConsole, visit: TheVisit, done: str = "") -> HTMLResponse:
    """What waits in one's queues."""
    around = page(console, visit, "Your queues")
    with reading(console.engine) as session:
        waiting = board(session, queues_of(console, visit), around.now)
    titles = {name: queue.title for name, queue in console.bundle.queues.items()}
    return render("home.html", {"page": around, "desk": Desk(waiting, titles), "done": done})


@router.get("/queues/{queue}")
def queue_page(console: TheConsole, visit: TheVisit, queue: str, after: str = "") -> HTMLResponse:
    """The gates that wait in a queue, in the order in which they come up."""
    found = console.bundle.queues.get(queue)
    if found is None or not visit.viewer.sees(found):
        raise NotFound("there is no such queue among yours")
    around = page(console, visit, found.title)
    with reading(console.engine) as session:
        rows = page_of_queue(session, queue, around.now, ROWS + 1, after)
    following = urls.queue(queue, rows[ROWS - 1].gate.id) if len(rows) > ROWS else ""
    shown = QueuePage(queue, found.title, rows[:ROWS], following)
    return render("queue.html", {"page": around, "queue": shown})


@router.post(urls.NEXT, dependencies=[Depends(allowed(Capability.WORK))])
def take_next(console: TheConsole, visit: OurForm) -> RedirectResponse:
    """Claim the most urgent case that one may answer, and go to it."""
    case_id = _claimed(console, visit)
    return RedirectResponse(urls.case(case_id) if case_id else urls.HOME + "?done=all", 303)


def _claimed(console: Console, visit: Visit) -> str | None:
    """The case whose gate has been claimed; None where nothing waits."""
    with transaction(console.engine) as session:
        person = answering(session, visit.viewer.id, ActorKind.PERSON)
        if person is None:
            return None
        gate = claim_next(session, person, console.lease, visit.by, console.clock())
        return gate.case_id if gate else None


@router.get(urls.FIND)
def find(console: TheConsole, visit: TheVisit, reference: str = "") -> RedirectResponse:
    """Go to a case by its id, its gate's id, or its source and external id."""
    wanted = reference.strip()
    with reading(console.engine) as session:
        case_id = _named(session, wanted)
        if case_id is None or not is_readable(session, visit, case_id):
            raise NotFound(f"there is no case {wanted} among yours")
    return RedirectResponse(urls.case(case_id), 303)


def _named(session: Session, reference: str) -> str | None:
    """The id of the case that a gate or a reference names; None for none."""
    gate = session.get(Gate, reference)
    if gate is not None:
        return gate.case_id
    try:
        return find_case(session, reference).id
    except NotFound:
        return None
