"""Quality assurance: what may be looked at again, one decision's evidence, and the answer."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from casework.console import doing
from casework.console.access import Capability
from casework.console.api.caller import Caller, needs
from casework.console.api.case_documents import SignalsOut, signals
from casework.console.api.documents import ROWS, Cursor, Document, Id, Limit, Listing, example
from casework.console.api.gate_documents import Choice, choices
from casework.console.api.gates import AnswerIn
from casework.console.api.once import OnceRoute
from casework.console.api.problems import ANY, CHANGING, declared
from casework.console.identity import TheConsole
from casework.console.reviewing import review_of
from casework.errors import NotFound
from casework.gates import ActorKind
from casework.qa_answering import answer_qa_gate
from casework.store.engine import reading
from casework.store.people import answering
from casework.store.qa.gates import waiting_qa_gates
from casework.tokens import Scope

router = APIRouter(route_class=OnceRoute, tags=["re-reviews"])


class ReviewRow(Document):
    """A re-review or an adjudication that waits."""

    model_config = example(id="q7a", kind="review", status="open", opened_at="2026-03-02T09:30:00Z")

    id: str
    kind: str
    status: str
    opened_at: datetime


class ReviewOut(Document):
    """The evidence of a decision as it was first seen, and what may be answered about it."""

    model_config = example(
        gate={"id": "q7a", "kind": "review", "status": "open", "opened_at": "2026-03-02T09:30:00Z"},
        evidence="9f86d081884c7d65", covered=False, content={"body": "..."}, signals=[],
        clauses=[], errors=[], actions=[{"id": "no_action", "title": "No action"}],
        escalations=[], decisions=[],
    )  # fmt: skip

    gate: ReviewRow
    evidence: str = Field(description="Digest of the evidence; an answer must name it.")
    covered: bool = Field(
        description="Its content is left out, and what may be answered; `uncovered=true` asks."
    )
    content: dict[str, Any]
    signals: list[SignalsOut]
    actions: list[Choice]
    escalations: list[Choice]
    clauses: list[Choice]
    errors: list[str] = Field(description="Classes of error; an adjudicator alone names one.")
    decisions: list[dict[str, Any]] = Field(description="Without names; adjudicators see them.")


class ReviewAnswer(AnswerIn):
    """An answer of a re-review; an adjudicator says what was wrong, or `none`."""

    model_config = example(
        verdict="approve", action="no_action", rationale="Satire of a public figure.",
        evidence="9f86d081884c7d65", error="none",
    )  # fmt: skip

    error: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")] | None = None


class Reviewed(Document):
    """The re-review that was answered."""

    model_config = example(gate="q7a")

    gate: str


@router.get(
    "/reviews",
    dependencies=[Depends(needs(Scope.READ, Capability.WORK))],
    responses=declared(ANY),
)
def waiting(
    console: TheConsole, visit: Caller, limit: Limit = ROWS, cursor: Cursor = None
) -> Listing[ReviewRow]:
    """The re-reviews and adjudications that one may answer, the oldest first."""
    with reading(console.engine) as session:
        person = answering(session, visit.viewer.id, ActorKind.PERSON)
        if person is None:
            raise NotFound("you are not known any more")
        rows = waiting_qa_gates(session, person, limit=limit + 1, after=cursor or "")
    return Listing(
        items=[ReviewRow.model_validate(row) for row in rows[:limit]],
        next_cursor=rows[limit - 1].id if len(rows) > limit else None,
    )


@router.get(
    "/reviews/{gate}",
    dependencies=[Depends(needs(Scope.READ, Capability.WORK))],
    responses=declared(ANY),
)
def show(
    console: TheConsole,
    visit: Caller,
    gate: Id,
    uncovered: Annotated[
        bool, Query(description="Send content of a covered category too.")
    ] = False,
) -> ReviewOut:
    """The evidence of a decision, blind; that one looked is in the history."""
    shown = review_of(console, visit, gate, uncovered=uncovered)
    return ReviewOut(
        gate=ReviewRow.model_validate(shown.gate),
        evidence=shown.evidence,
        covered=shown.covered,
        content=dict(shown.content),
        signals=signals(shown.readings),
        actions=choices(shown.actions),
        escalations=choices(shown.escalations),
        clauses=choices(shown.clauses),
        errors=list(shown.errors),
        decisions=[dict(each) for each in shown.decisions],
    )


@router.post(
    "/reviews/{gate}/answer",
    dependencies=[Depends(needs(Scope.DECIDE, Capability.WORK))],
    responses=declared(CHANGING),
)
def answer(console: TheConsole, visit: Caller, gate: Id, body: ReviewAnswer) -> Reviewed:
    """Put an answer before the guard of quality assurance."""
    payload = doing.review_payload(console, gate, body.fields())
    answer_qa_gate(console.engine, gate, visit.viewer.id, payload, now=console.clock())
    return Reviewed(gate=gate)
