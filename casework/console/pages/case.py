"""One case: reading it, answering at its gate, and its whole story."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends, Form
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from casework.answering import Taken
from casework.console import doing, urls
from casework.console.access import Capability
from casework.console.answers import GivenAnswer
from casework.console.contexts import Preview, Story
from casework.console.day import seen_today
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.desk import page, pause
from casework.console.ports import Console
from casework.console.readable import check_readable, check_shown, readable_gate
from casework.console.rendering import render
from casework.console.showing import case_page
from casework.denials import Denial
from casework.errors import Conflict, Denied, InputError, NotFound
from casework.exposure import Level
from casework.gates import Verdict
from casework.store.cases import case_file
from casework.store.consequences import terms_at
from casework.store.engine import reading, transaction
from casework.store.ledger import acts_of
from casework.store.playbooks import answer_step, answers_about
from casework.store.policy import stored_bundle
from casework.store.qa.blinding import recuse
from casework.store.texts import Foreseen, preview

router = APIRouter()

Outcome: TypeAlias = Literal[
    "decided",
    "later",
    "more",
    "claimed",
    "released",
    "assigned",
    "restricted",
    "unrestricted",
    "held",
    "resumed",
    "handed_over",
    "undone",
    "undoing",
]

#: What became of what somebody did, as the case's page says it.
OUTCOMES: Final[Mapping[Outcome, str]] = {
    "decided": "Decided. The case goes on.",
    "later": "Decided. It is carried out when Prefect answers again; nothing is lost.",
    "more": "Taken. Somebody else has to approve the same.",
    "claimed": "You have this case.",
    "released": "Given back. Anybody may take it now.",
    "assigned": "Given to the person you named.",
    "restricted": "Only the people you named may know of this case now.",
    "unrestricted": "Whoever may work on this case may know of it again.",
    "held": "On hold.",
    "resumed": "No longer on hold.",
    "handed_over": "Handed over.",
    "undone": "Undone. What has left is taken back within a minute.",
    "undoing": "Others have to agree to undo it: they are asked now.",
}


@router.get("/cases/{case_id}")
def show(
    console: TheConsole, visit: TheVisit, case_id: str, done: Outcome | None = None
) -> HTMLResponse:
    """A case; what is of a marked category stays covered until it is asked for."""
    return shown_case(console, visit, case_id, done=done)


@router.post("/cases/{case_id}/reveal")
def reveal(
    console: TheConsole, visit: OurForm, case_id: str, anyway: Annotated[bool, Form()] = False
) -> HTMLResponse:
    """The same case with its content; that it was asked for is in the history.

    Who has seen as much as a day should hold is shown a pause first.
    """
    with reading(console.engine) as session:
        check_readable(session, visit, case_id)
        seen = seen_today(session, console, visit.viewer.id)
    if seen.level is Level.SPENT and not anyway:
        return pause(console, visit, seen, urls.reveal(case_id))
    return shown_case(console, visit, case_id, uncovered=True)


@router.post("/cases/{case_id}/recuse")
def give_up_review(console: TheConsole, visit: OurForm, case_id: str) -> RedirectResponse:
    """Take the viewer off the re-reviews of a case, so that they may see it."""
    with transaction(console.engine) as session:
        check_readable(session, visit, case_id)
        recuse(session, case_id, visit.by, console.clock())
    return RedirectResponse(urls.case(case_id), 303)


@router.post("/cases/{case_id}/reverse", dependencies=[Depends(allowed(Capability.WORK))])
def undo(
    console: TheConsole, visit: OurForm, case_id: str, reason: Annotated[str, Form()] = ""
) -> Response:
    """Undo what was done last about a closed case, or ask those who may."""
    try:
        done = doing.undo(console, visit, case_id, reason)
    except (Conflict, Denied, InputError) as refusal:
        return shown_case(console, visit, case_id, problem=refusal.message, status=refusal.status)
    outcome: Outcome = "undoing" if done.missing else "undone"
    return RedirectResponse(f"{urls.case(case_id)}?done={outcome}", 303)


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
    woken = await doing.wake(console, taken)
    outcome: Outcome = "more" if not taken.decided else ("decided" if woken else "later")
    return RedirectResponse(f"{urls.case(taken.case_id)}?done={outcome}", 303)


def _answer(console: Console, visit: Visit, gate: str, given: dict[str, str]) -> Taken | Response:
    """What was taken; where it is refused, the case with the reason and what was filled in."""
    try:
        return doing.take_answer_at(console, visit, gate, given)
    except (Denied, Conflict, NotFound) as refusal:
        # What the guard ruled is in the history; a gate of others looks like none all the same.
        case_id = doing.case_of_gate(console, visit, gate)
        return shown_case(
            console,
            visit,
            case_id,
            uncovered=True,
            refusal=refusal.message,
            given=given,
            status=refusal.status,
        )


@router.post("/gates/{gate}/preview")
def look_ahead(console: TheConsole, visit: OurForm, gate: str, given: GivenAnswer) -> HTMLResponse:
    """Show word for word what an answer would send; nothing is sent and nothing decided."""
    with reading(console.engine) as session:
        found = readable_gate(session, visit, gate)
        action, clause = given["action"] or None, given["clause"] or None
        terms = terms_at(session, stored_bundle(session, found.policy_digest), found, action)
        may_be = (
            action in terms.actions if given["verdict"] == Verdict.APPROVE else given["verdict"]
        )
        foreseen = (
            preview(session, found, action, clause, visit.by, console.clock())
            if may_be
            else Foreseen()
        )
    shown = Preview(given["verdict"], terms.approvals if action else 1, foreseen)
    return shown_case(console, visit, found.case_id, uncovered=True, given=given, shown_ahead=shown)


@router.post("/gates/{gate}/playbook")
def follow(
    console: TheConsole,
    visit: OurForm,
    gate: str,
    given: GivenAnswer,
    step: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Answer a step of the gate's playbook; what was written in the form is kept."""
    case_id = doing.case_of_gate(console, visit, gate)
    name, _, choice = step.partition("=")
    problem, status = "", 200
    try:
        with transaction(console.engine) as session:
            answer_step(session, gate, name, choice, visit.by, console.clock())
    except (Conflict, Denied, InputError) as refusal:
        problem, status = refusal.message, refusal.status
    return shown_case(
        console,
        visit,
        case_id,
        uncovered=True,
        given=given,
        problem=problem,
        status=status,
    )


@router.get("/cases/{case_id}/story")
def story(
    console: TheConsole,
    visit: Annotated[Visit, Depends(allowed(Capability.STORY))],
    case_id: str,
) -> HTMLResponse:
    """Everything that happened to a case, act by act; ids and digests, no content."""
    with reading(console.engine) as session:
        check_shown(session, visit, case_id)
        file = case_file(session, case_id)
        answered = answers_about(session, case_id)
        acts = acts_of(session, case_id)
    told = Story(file.case, file.decisions, file.gates, answered, acts, console.clock())
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
    done: Outcome | None = None,
    problem: str = "",
    shown_ahead: Preview | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page of a case, with what became of what was just done, or why it was not.

    Raises:
        NotFound: the viewer may not read it, or there is no such case.
    """
    around = page(console, visit, f"Case {case_id}")
    try:
        shown = case_page(
            console, visit, case_id, uncovered=uncovered, refusal=refusal, given=given
        )
    except Denied as denied:
        if denied.reason != Denial.BLIND:
            raise
        return render("blind.html", {"page": around, "case_id": case_id}, 403)
    if done == "later" and shown.decided is None:
        done = "decided"  # the page is loaded again, and there is nothing to wait for any more
    outcome = OUTCOMES[done] if done else ""
    context = {"page": around, "shown": shown, "outcome": outcome, "problem": problem}
    context["preview"] = shown_ahead
    return render("case.html", context, status)
