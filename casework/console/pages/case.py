"""One case: reading it, answering at its gate, and its whole story."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

import orjson
from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from casework.answering import Taken, answer_gate
from casework.console import urls
from casework.console.access import Capability
from casework.console.answers import GivenAnswer
from casework.console.contexts import Story
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.rendering import render
from casework.console.showing import case_page, check_readable
from casework.errors import Conflict, Denied, EngineError
from casework.evidence import seen_in_full
from casework.store.cases import case_file
from casework.store.engine import reading
from casework.store.gates import gate_by_id
from casework.store.ledger import entries_of

router = APIRouter()

Outcome: TypeAlias = Literal[
    "decided", "later", "more", "claimed", "released", "held", "resumed", "handed_over"
]

#: What became of what somebody did, as the case's page says it.
OUTCOMES: Final[Mapping[Outcome, str]] = {
    "decided": "Decided. The case goes on.",
    "later": "Decided. It is carried out when Prefect answers again; nothing is lost.",
    "more": "Taken. Somebody else has to approve the same.",
    "claimed": "You have this case.",
    "released": "Given back. Anybody may take it now.",
    "held": "On hold.",
    "resumed": "No longer on hold.",
    "handed_over": "Handed over.",
}


@router.get("/cases/{case_id}")
def show(
    console: TheConsole, visit: TheVisit, case_id: str, done: Outcome | None = None
) -> HTMLResponse:
    """A case; what is of a marked category stays covered until it is asked for."""
    return shown_case(console, visit, case_id, outcome=OUTCOMES[done] if done else "")


@router.post("/cases/{case_id}/reveal")
def reveal(console: TheConsole, visit: OurForm, case_id: str) -> HTMLResponse:
    """The same case with its content; that it was asked for is in the history."""
    return shown_case(console, visit, case_id, uncovered=True)


@router.post("/gates/{gate}/answer")
async def answer(
    console: TheConsole,
    visit: OurForm,
    gate: str,
    given: GivenAnswer,
) -> Response:
    """Put an answer before the guard; then wake the run, and go on to the next case."""
    # In a thread, as all that asks the store: the loop goes on with everybody else.
    taken = await run_in_threadpool(_answer, console, visit, gate, given)
    if isinstance(taken, Response):
        return taken
    woken = await _wake(console, taken)
    outcome: Outcome = "more" if not taken.decided else ("decided" if woken else "later")
    return RedirectResponse(f"{urls.case(taken.case_id)}?done={outcome}", 303)


def _answer(console: Console, visit: Visit, gate: str, given: dict[str, str]) -> Taken | Response:
    """What was taken; where it is refused, the case with the reason and what was filled in."""
    with reading(console.engine) as session:
        found = gate_by_id(session, gate)
    payload = {name: given[name] or None for name in ("verdict", "action", "escalate_to", "clause")}
    payload |= {
        "rationale": given["rationale"],
        "evidence_digest": seen_in_full(found.evidence_digest, given["evidence"]),
    }
    try:
        return answer_gate(console.engine, gate, visit.viewer.id, payload, now=console.clock())
    except (Denied, Conflict) as refusal:
        return shown_case(
            console,
            visit,
            found.case_id,
            uncovered=True,
            refusal=refusal.message,
            given=given,
            status=refusal.status,
        )


async def _wake(console: Console, taken: Taken) -> bool:
    if not taken.decided or taken.flow_run_id is None:
        return False
    try:
        return await console.wake(taken.flow_run_id)
    except EngineError:
        # The decision is taken; the reconciler wakes the run when Prefect is back.
        return False


@router.get("/cases/{case_id}/story")
def story(
    console: TheConsole,
    visit: Annotated[Visit, Depends(allowed(Capability.STORY))],
    case_id: str,
) -> HTMLResponse:
    """Everything that happened to a case, entry by entry; ids and digests, no content."""
    with reading(console.engine) as session:
        check_readable(session, visit, case_id)
        file = case_file(session, case_id)
        entries = [
            orjson.loads(entry.body) | {"digest": entry.digest}
            for entry in entries_of(session, case_id)
        ]
    told = Story(file.case, file.decisions, file.gates, entries, console.clock())
    return render(
        "story.html", {"page": page(console, visit, f"Story of {case_id}"), "story": told}
    )


def shown_case(
    console: Console,
    visit: Visit,
    case_id: str,
    *,
    uncovered: bool = False,
    refusal: str = "",
    given: dict[str, str] | None = None,
    outcome: str = "",
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    """The page of a case, with what became of what was just done, or why it was not.

    Raises:
        NotFound: the viewer may not read it, or there is no such case.
    """
    shown = case_page(console, visit, case_id, uncovered=uncovered, refusal=refusal, given=given)
    around = page(console, visit, f"Case {case_id}")
    context = {"page": around, "shown": shown, "outcome": outcome, "problem": problem}
    return render("case.html", context, status)
