"""Home, queues, and the next case."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from casework.console import urls
from casework.console.contexts import Desk, QueuePage
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit
from casework.console.ports import Console
from casework.console.rendering import Page, render
from casework.errors import CaseworkError, NotFound
from casework.store.cases import find_case
from casework.store.desk import Place, board, next_gate, page_of_queue
from casework.store.engine import reading
from casework.store.gates import gate_by_id

router = APIRouter()

#: Rows on one page of a queue.
ROWS = 50


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
        waiting = board(session, queues_of(console, visit))
    titles = {name: queue.title for name, queue in console.bundle.queues.items()}
    return render("home.html", {"page": around, "desk": Desk(waiting, titles), "done": done})


@router.get("/queues/{queue}")
def queue_page(console: TheConsole, visit: TheVisit, queue: str, after: str = "") -> HTMLResponse:
    """The gates that wait in a queue, the worst first."""
    if queue not in queues_of(console, visit):
        raise NotFound("there is no such queue among yours")
    title = console.bundle.queues[queue].title
    with reading(console.engine) as session:
        place = None
        if after:
            gate = gate_by_id(session, after)
            place = Place(gate.severity, gate.opened_at, gate.id)
        rows = page_of_queue(session, queue, ROWS + 1, place)
    following = urls.queue(queue, rows[ROWS - 1]["id"]) if len(rows) > ROWS else ""
    shown = QueuePage(queue, title, rows[:ROWS], following)
    return render("queue.html", {"page": page(console, visit, title), "queue": shown})


@router.post(urls.NEXT)
def take_next(
    console: TheConsole, visit: OurForm, queue: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Go to the most urgent case that one may answer, in one queue or in all of one's own."""
    mine = [name for name in queues_of(console, visit) if queue in ("", name)]
    with reading(console.engine) as session:
        gate = next_gate(session, visit.viewer.id, mine)
    return RedirectResponse(urls.case(gate.case_id) if gate else urls.HOME + "?done=all", 303)


@router.get(urls.FIND)
def find(console: TheConsole, visit: TheVisit, reference: str = "") -> RedirectResponse:
    """Go to a case by its id, its gate's id, or its source and external id."""
    wanted = reference.strip()
    with reading(console.engine) as session:
        try:
            case_id = gate_by_id(session, wanted).case_id
        except CaseworkError:
            case_id = find_case(session, wanted).id
    return RedirectResponse(urls.case(case_id), 303)
