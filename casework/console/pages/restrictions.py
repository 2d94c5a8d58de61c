"""Need to know: leads restrict cases to named people, and lift that."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from casework.console import urls
from casework.console.access import Capability
from casework.console.contexts import Restricting
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.case import Outcome, shown_case
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.readable import check_readable
from casework.console.rendering import render
from casework.errors import Denied, InputError
from casework.store.engine import reading, transaction
from casework.store.people import people
from casework.store.restrictions import let_in, restrict, unrestrict

router = APIRouter(dependencies=[Depends(allowed(Capability.RESTRICT))])


@router.get("/cases/{case_id}/restrict")
def choose(console: TheConsole, visit: TheVisit, case_id: str) -> HTMLResponse:
    """Choose who alone may know of a case."""
    with reading(console.engine) as session:
        case = check_readable(session, visit, case_id)
        known = [(each.id, each.name) for each in people(session) if each.active]
        shown = Restricting(case, known, let_in(session, case_id))
    around = page(console, visit, f"Who may know of case {case_id}")
    return render("restrict.html", {"page": around, "restricting": shown})


@router.post("/cases/{case_id}/restrict")
def keep_to(
    console: TheConsole,
    visit: OurForm,
    case_id: str,
    person: Annotated[tuple[str, ...], Form()] = (),
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Let named people alone know of a case; whoever says so is among them."""
    return _changed(
        console,
        visit,
        case_id,
        lambda session: restrict(session, case_id, person, reason, visit.by, console.clock()),
        "restricted",
    )


@router.post("/cases/{case_id}/unrestrict")
def lift(console: TheConsole, visit: OurForm, case_id: str) -> Response:
    """Let everybody know of a case again who may otherwise."""
    return _changed(
        console,
        visit,
        case_id,
        lambda session: unrestrict(session, case_id, visit.by, console.clock()),
        "unrestricted",
    )


def _changed(
    console: Console,
    visit: Visit,
    case_id: str,
    change: Callable[[Session], object],
    outcome: Outcome,
) -> Response:
    with reading(console.engine) as session:
        check_readable(session, visit, case_id)
    try:
        with transaction(console.engine) as session:
            change(session)
    except (Denied, InputError) as refusal:
        return shown_case(console, visit, case_id, problem=refusal.message, status=refusal.status)
    return RedirectResponse(f"{urls.case(case_id)}?done={outcome}", 303)
