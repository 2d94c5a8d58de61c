"""Quality assurance: what a reviewer may look at again, and one decision's evidence, blind."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from casework.answering import bundle_of
from casework.console import urls
from casework.console.access import Capability
from casework.console.answers import GivenAnswer
from casework.console.contexts import Listing, Review
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.rendering import render
from casework.console.showing import veil_of
from casework.errors import Conflict, Denied, NotFound
from casework.evidence import seen_in_full
from casework.gates import ActorKind
from casework.qa.reviews import GateKind
from casework.qa_answering import answer_qa_gate, look_at_qa_gate, open_qa_gate
from casework.store.engine import reading
from casework.store.people import answering
from casework.store.qa.answers import decisions_about
from casework.store.qa.gates import qa_gate_by_id, waiting_qa_gates
from casework.store.qa.golden import feedback
from casework.store.tables import Case

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
    """The evidence of a decision as it was first seen; that one looked is in the history."""
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
        payload = _payload(console, gate, given)
        answer_qa_gate(console.engine, gate, visit.viewer.id, payload, now=console.clock())
    except (Denied, Conflict) as refusal:
        return _shown(console, visit, gate, refusal.message, given, refusal.status)
    return RedirectResponse(urls.further(urls.QA, answered=gate), 303)


def _feedback(session: Session, gate: str, visit: Visit) -> dict[str, Any] | None:
    """Whether one's own answer in training was the known one."""
    is_own = qa_gate_by_id(session, gate).answered_by == visit.viewer.id
    return feedback(session, gate) if is_own else None


def _payload(console: Console, gate: str, given: dict[str, str]) -> dict[str, Any]:
    """An answer as the guard takes it; an adjudicator's names a class of error, or none."""
    shown, _, _ = look_at_qa_gate(console.engine, gate)
    plain = ("verdict", "action", "escalate_to", "clause")
    payload: dict[str, Any] = {name: given[name] or None for name in plain}
    payload["rationale"] = given["rationale"]
    payload["evidence_digest"] = seen_in_full(shown.item.evidence_digest, given["evidence"])
    if shown.gate.kind == GateKind.ADJUDICATION and given["error"]:
        payload["error"] = None if given["error"] == "none" else given["error"]
    return payload


def _shown(
    console: Console,
    visit: Visit,
    gate: str,
    refusal: str = "",
    given: dict[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    engine = console.engine
    shown, terms, classes = open_qa_gate(engine, gate, visit.viewer.id, now=console.clock())
    bundle = bundle_of(engine, shown.item.policy_digest)
    with reading(engine) as session:
        case = session.get_one(Case, shown.item.case_id)
        veil = veil_of(session, console, visit, marked=bundle.marked(case.rule_id) is not None)
    decisions: list[dict[str, Any]] = []
    if shown.gate.kind == GateKind.ADJUDICATION:
        with reading(engine) as session:
            decisions = decisions_about(session, shown.item)
    review = Review(
        gate=shown.gate,
        evidence=shown.item.evidence_digest,
        content=shown.content,
        veil=veil,
        readings=shown.readings,
        actions=[(name, bundle.actions[name].title) for name in sorted(terms.actions)],
        escalations=[(name, bundle.queues[name].title) for name in sorted(terms.escalations)],
        clauses=[pair for each in bundle.categories.values() for pair in each.clauses.items()],
        errors=classes,
        decisions=decisions,
        refusal=refusal,
        given=given,
    )
    around = page(console, visit, f"Re-review {gate}")
    return render("qa_review.html", {"page": around, "review": review}, status)
