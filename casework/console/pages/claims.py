"""Who has a case: claiming, renewing, giving back, holding, handing over. Only ever by POST."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from casework.assignment import HoldReason
from casework.console import doing, urls
from casework.console.access import Capability
from casework.console.contexts import Giving
from casework.console.doing import Change
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.case import Outcome, shown_case
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.readable import may_give, readable_gate
from casework.console.rendering import render
from casework.errors import Conflict, Denied, InputError, NotAllowed
from casework.store.assignees import assignees
from casework.store.assignment import (
    assign,
    assignment_of,
    claim,
    hand_over,
    hold,
    release,
    renew,
    resume,
)
from casework.store.engine import reading, transaction
from casework.store.gates import live_holder
from casework.store.policy import stored_bundle
from casework.store.tables import Case

router = APIRouter(dependencies=[Depends(allowed(Capability.WORK))])


@router.post("/gates/{gate}/claim")
def take(
    console: TheConsole, visit: OurForm, gate: str, take_over: Annotated[bool, Form()] = False
) -> Response:
    """Claim a gate, or renew one's claim; a lead may take it over from another."""

    def change(session: Session, now: datetime) -> None:
        claim(session, gate, console.lease, visit.by, now, take_over=take_over)

    return _changed(console, visit, gate, change, "claimed")


@router.post("/gates/{gate}/renew")
def keep(console: TheConsole, visit: OurForm, gate: str) -> Response:
    """Renew one's claim from a page that is open; what has been lost is not taken back."""
    doing.case_of_gate(console, visit, gate)
    with transaction(console.engine) as session:
        renew(session, gate, console.lease, visit.by, console.clock())
    return Response(status_code=204)


@router.post("/gates/{gate}/release")
def give_back(console: TheConsole, visit: OurForm, gate: str) -> Response:
    """Give a gate back to everybody."""

    def change(session: Session, now: datetime) -> None:
        release(session, gate, visit.by, now)

    return _changed(console, visit, gate, change, "released")


@router.post("/gates/{gate}/hold")
def put_on_hold(
    console: TheConsole,
    visit: OurForm,
    gate: str,
    reason: Annotated[str, Form()] = "",
    follow_up: Annotated[str, Form()] = "",
) -> Response:
    """Put a gate on hold for a reason, until a date."""

    def change(session: Session, now: datetime) -> None:
        until = _moment(follow_up)
        hold(session, gate, _reason(reason), until, console.lease, visit.by, now)

    return _changed(console, visit, gate, change, "held")


@router.post("/gates/{gate}/resume")
def go_on(console: TheConsole, visit: OurForm, gate: str) -> Response:
    """End a hold."""

    def change(session: Session, now: datetime) -> None:
        resume(session, gate, visit.by, now)

    return _changed(console, visit, gate, change, "resumed")


@router.get("/gates/{gate}/assign")
def choose(console: TheConsole, visit: TheVisit, gate: str) -> HTMLResponse:
    """Choose whom to give a gate to, among those who may answer there now."""
    with reading(console.engine) as session:
        found = readable_gate(session, visit, gate)
        case = session.get_one(Case, found.case_id)
        queue = stored_bundle(session, found.policy_digest).queues[found.queue]
        now = console.clock()
        if not may_give(visit.viewer, queue, live_holder(assignment_of(session, found), now)):
            raise NotAllowed("only who has a case gives it away, or a lead", hint="claim it first")
        able = assignees(session, found, now, visit.viewer.bounded_by)
    people = [(each.id, each.name) for each in able if each.id != visit.viewer.id]
    around = page(console, visit, f"Give case {case.id}")
    return render("give.html", {"page": around, "giving": Giving(case, found, people)})


@router.post("/gates/{gate}/assign")
def give(
    console: TheConsole, visit: OurForm, gate: str, person: Annotated[str, Form()] = ""
) -> Response:
    """Give a gate to a named person, who has it until somebody says otherwise."""

    def change(session: Session, now: datetime) -> None:
        assign(session, gate, person, visit.by, now)

    return _changed(console, visit, gate, change, "assigned")


@router.post("/gates/{gate}/hand-over")
def pass_on(
    console: TheConsole, visit: OurForm, gate: str, queue: Annotated[str, Form()] = ""
) -> Response:
    """Hand a gate over to a partner, or back to where it came from."""

    def change(session: Session, now: datetime) -> None:
        hand_over(session, gate, queue, visit.by, now)

    return _changed(console, visit, gate, change, "handed_over")


def _changed(
    console: Console, visit: Visit, gate: str, change: Change, outcome: Outcome
) -> Response:
    """Make a change, and show its case; a refusal says why, and who has the gate."""
    case_id = doing.case_of_gate(console, visit, gate)
    try:
        doing.change_at_gate(console, visit, gate, change)
    except (Conflict, Denied, InputError) as refusal:
        return shown_case(console, visit, case_id, problem=refusal.message, status=refusal.status)
    return RedirectResponse(f"{urls.case(case_id)}?done={outcome}", 303)


def _reason(given: str) -> HoldReason:
    if given not in set(HoldReason):
        raise InputError(f"a hold is for one of: {', '.join(HoldReason)}")
    return HoldReason(given)


def _moment(given: str) -> datetime:
    """A date and time as a browser's field gives it, in UTC."""
    try:
        return datetime.fromisoformat(given).replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError("a hold needs the date and time of its follow-up, in UTC") from error
