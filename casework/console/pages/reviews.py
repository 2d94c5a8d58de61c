"""Quality assurance: what a reviewer may look at again, and one decision's evidence, blind."""

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from casework.console import doing, urls
from casework.console.access import Capability
from casework.console.answers import GivenAnswer
from casework.console.contexts import Listing
from casework.console.day import seen_today
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.desk import page, pause
from casework.console.ports import Console
from casework.console.rendering import render
from casework.console.reviewing import review_of
from casework.denials import Denial
from casework.errors import Conflict, Denied, NotFound
from casework.exposure import Level
from casework.gates import ActorKind
from casework.qa_answering import answer_qa_gate
from casework.store.engine import reading
from casework.store.people import answering
from casework.store.qa.gates import qa_gate_by_id, waiting_qa_gates
from casework.store.qa.golden import feedback

router = APIRouter(dependencies=[Depends(allowed(Capability.WORK))])

#: Rows on one page of the list.
ROWS: Final = 50


@router.get(urls.QA)
def waiting(
    console: TheConsole,
    visit: TheVisit,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    answered: str = "",
) -> HTMLResponse:
    """The re-reviews and adjudications that one may answer, the oldest first."""
    with reading(console.engine) as session:
        person = answering(session, visit.viewer.id, ActorKind.PERSON)
        if person is None:
            raise NotFound("you are not known any more")
        found = waiting_qa_gates(session, person, limit=ROWS + 1, offset=offset)
        told = _feedback(session, answered, visit) if answered else None
    more = urls.further(urls.QA, offset=offset + ROWS) if len(found) > ROWS else ""
    context = {
        "page": page(console, visit, "Re-reviews"),
        "reviews": Listing(found[:ROWS], more),
        "answered": bool(answered),
        "feedback": told,
    }
    return render("qa_list.html", context)


@router.get(urls.QA + "/{gate}")
def show(console: TheConsole, visit: TheVisit, gate: str) -> HTMLResponse:
    """The evidence of a decision as it was first seen; that one looked is in the history.

    What is of a marked category stays covered until it is asked for.
    """
    return _shown(console, visit, gate, uncovered=False)


@router.post(urls.QA + "/{gate}/reveal")
def reveal(
    console: TheConsole, visit: OurForm, gate: str, anyway: Annotated[bool, Form()] = False
) -> HTMLResponse:
    """The same evidence uncovered; that it was asked for is in the history.

    Who has seen as much as a day should hold is shown a pause first.
    """
    with reading(console.engine) as session:
        seen = seen_today(session, console, visit.viewer.id)
    spent = seen.level is Level.SPENT and not anyway
    if spent and review_of(console, visit, gate, uncovered=False).covered:
        return pause(console, visit, seen, urls.reveal_review(gate))
    return _shown(console, visit, gate)


@router.post(urls.QA + "/{gate}/answer")
def answer(
    console: TheConsole,
    visit: OurForm,
    gate: str,
    given: GivenAnswer,
) -> Response:
    """Put an answer before the guard; on to the list where it is taken."""
    try:
        payload = doing.review_payload(console, gate, given)
        answer_qa_gate(console.engine, gate, visit.viewer.id, payload, now=console.clock())
    except (Denied, Conflict) as refusal:
        return _shown(console, visit, gate, refusal.message, given, refusal.status)
    return RedirectResponse(urls.further(urls.QA, answered=gate), 303)


def _feedback(session: Session, gate: str, visit: Visit) -> dict[str, Any] | None:
    """Whether one's own answer in training was the known one."""
    is_own = qa_gate_by_id(session, gate).answered_by == visit.viewer.id
    return feedback(session, gate) if is_own else None


def _shown(
    console: Console,
    visit: Visit,
    gate: str,
    refusal: str = "",
    given: dict[str, str] | None = None,
    status: int = 200,
    *,
    uncovered: bool = True,
) -> HTMLResponse:
    try:
        shown = review_of(console, visit, gate, uncovered=uncovered)
    except Denied as denied:
        if denied.reason != Denial.PARTICIPANT:
            raise
        return _closed(console, visit, gate)
    review = replace(shown, refusal=refusal, given=given)
    around = page(console, visit, f"Re-review {gate}")
    return render("qa_review.html", {"page": around, "review": review}, status)


def _closed(console: Console, visit: Visit, gate: str) -> HTMLResponse:
    """Say why somebody may not look any more, and where the next re-review is."""
    with reading(console.engine) as session:
        is_own = qa_gate_by_id(session, gate).answered_by == visit.viewer.id
        person = answering(session, visit.viewer.id, ActorKind.PERSON)
        waits = waiting_qa_gates(session, person, limit=1) if person else []
    around = page(console, visit, f"Re-review {gate}")
    context = {"page": around, "is_own": is_own, "following": waits[0] if waits else None}
    return render("qa_closed.html", context, 403)
