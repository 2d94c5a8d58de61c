"""Home, queues, and the next case."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from casework.assigning import at_gate
from casework.console import urls
from casework.console.access import Capability
from casework.console.contexts import Desk, Pause, QueuePage
from casework.console.day import Today, today
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.ports import Console
from casework.console.rendering import Page, render
from casework.console.showing import is_readable, readable_gate
from casework.errors import Conflict, Denied, NotFound
from casework.exposure import Level
from casework.gates import ActorKind
from casework.store.assignees import workers
from casework.store.assignment import assign, claim_next
from casework.store.cases import find_case
from casework.store.desk import board
from casework.store.engine import reading, transaction
from casework.store.news import newest_entry
from casework.store.people import answering
from casework.store.tables import Gate
from casework.store.worklist import next_gate, page_of_queue

router = APIRouter()

#: Rows on one page of a queue.
ROWS: Final = 50

#: How often the next case is looked for while others are faster.
TRIES: Final = 10


def page(console: Console, visit: Visit, title: str) -> Page:
    """What surrounds the context of a page."""
    near = ""
    if visit.viewer.may(Capability.WORK):
        with reading(console.engine) as session:
            now = today(session, console, visit.viewer.id)
        near = now.used if now.level is not Level.FINE else ""
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
    refusals = [told for each in gate[:ROWS] if (told := _given(console, visit, each, person))]
    given = len(gate[:ROWS]) - len(refusals)
    told = f"{given} given to {person}." if given else ("" if refusals else "Nothing was ticked.")
    return _queue(console, visit, queue, told=told, refusals=refusals)


def _given(console: Console, visit: Visit, gate: str, person: str) -> str:
    """Give one gate to a person; why not, where it is refused."""
    now = console.clock()
    try:
        with reading(console.engine) as session:
            readable_gate(session, visit, gate)
        at_gate(
            console.engine, gate, lambda s: assign(s, gate, person, visit.by, now), visit.by, now
        )
    except (Conflict, Denied, NotFound) as refusal:
        return f"{gate}: {refusal.message}"
    return ""


def _queue(
    console: Console,
    visit: Visit,
    name: str,
    after: str = "",
    told: str = "",
    refusals: Sequence[str] = (),
) -> HTMLResponse:
    queue = console.bundle.queues.get(name)
    if queue is None or not visit.viewer.sees(queue):
        raise NotFound("there is no such queue among yours")
    around = page(console, visit, queue.title)
    with reading(console.engine) as session:
        entry = newest_entry(session)
        rows = page_of_queue(session, name, around.now, ROWS + 1, after, visit.viewer.id)
        gives = workers(session, queue) if visit.viewer.may(Capability.LEAD) else []
    following = urls.queue(name, rows[ROWS - 1].gate.id) if len(rows) > ROWS else ""
    people = [(each.id, each.name) for each in gives]
    shown = QueuePage(name, queue.title, rows[:ROWS], following, people, told, entry, refusals)
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
        now = today(session, console, visit.viewer.id)
    sparing = now.level is Level.SPENT and not anyway
    case_id = _claimed(console, visit, sparing)
    if case_id is None and sparing and _anything_waits(console, visit):
        return pause(console, visit, now, urls.NEXT)
    return RedirectResponse(urls.case(case_id) if case_id else urls.HOME + "?done=all", 303)


def pause(console: Console, visit: Visit, now: Today, onward: str) -> HTMLResponse:
    """Suggest a pause, with a way to go on all the same."""
    around = page(console, visit, "Time for a pause")
    return render("pause.html", {"page": around, "pause": Pause(now.used, onward)})


def _anything_waits(console: Console, visit: Visit) -> bool:
    with reading(console.engine) as session:
        person = answering(session, visit.viewer.id, ActorKind.PERSON)
        return person is not None and next_gate(session, person, console.clock()) is not None


def _claimed(console: Console, visit: Visit, sparing: bool) -> str | None:
    """The case whose gate has been claimed; None where nothing waits, or others take it all."""
    for _ in range(TRIES):
        try:
            with transaction(console.engine) as session:
                person = answering(session, visit.viewer.id, ActorKind.PERSON)
                if person is None:
                    return None
                now, lease = console.clock(), console.lease
                gate = claim_next(session, person, lease, visit.by, now, sparing=sparing)
                return gate.case_id if gate else None
        except Conflict:
            continue  # somebody else was faster: the next one, then
    return None


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
