"""One case: reading it, answering at its gate, and its whole story."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from casework.console import doing, urls
from casework.console.access import Capability
from casework.console.answers import GivenAnswer
from casework.console.contexts import Story
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.rendering import render
from casework.console.showing import case_page, check_readable
from casework.errors import Conflict, Denied
from casework.store.cases import case_file
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.ledger import acts_of
from casework.store.qa.blinding import check_sighted, hidden_from, recuse

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


@router.post("/cases/{case_id}/recuse")
def give_up_review(console: TheConsole, visit: OurForm, case_id: str) -> RedirectResponse:
    """Take the viewer off the re-reviews of a case, so that they may see it."""
    with transaction(console.engine) as session:
        check_readable(session, visit, case_id)
        recuse(session, case_id, visit.by, console.clock())
    return RedirectResponse(urls.case(case_id), 303)


@router.post("/gates/{gate}/answer")
async def answer(
    console: TheConsole,
    visit: OurForm,
    gate: str,
    given: GivenAnswer,
) -> Response:
    """Put an answer before the guard; then wake the run, and go on to the next case."""
    with reading(console.engine) as session:
        case_id = gate_by_id(session, gate).case_id
    try:
        taken = doing.take_answer_at(console, visit, gate, given)
    except (Denied, Conflict) as refusal:
        return shown_case(
            console,
            visit,
            case_id,
            uncovered=True,
            refusal=refusal.message,
            given=given,
            status=refusal.status,
        )
    woken = await doing.wake(console, taken)
    outcome: Outcome = "more" if not taken.decided else ("decided" if woken else "later")
    return RedirectResponse(f"{urls.case(case_id)}?done={outcome}", 303)


@router.get("/cases/{case_id}/story")
def story(
    console: TheConsole,
    visit: Annotated[Visit, Depends(allowed(Capability.STORY))],
    case_id: str,
) -> HTMLResponse:
    """Everything that happened to a case, act by act; ids and digests, no content."""
    with reading(console.engine) as session:
        check_readable(session, visit, case_id)
        check_sighted(session, visit.viewer.id, case_id)
        file = case_file(session, case_id)
        acts = acts_of(session, case_id)
    told = Story(file.case, file.decisions, file.gates, acts, console.clock())
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
    with reading(console.engine) as session:
        check_readable(session, visit, case_id)
        is_blind = bool(hidden_from(session, visit.viewer.id, [case_id]))
    if is_blind:
        around = page(console, visit, f"Case {case_id}")
        return render("blind.html", {"page": around, "case_id": case_id}, 403)
    shown = case_page(console, visit, case_id, uncovered=uncovered, refusal=refusal, given=given)
    around = page(console, visit, f"Case {case_id}")
    context = {"page": around, "shown": shown, "outcome": outcome, "problem": problem}
    return render("case.html", context, status)
