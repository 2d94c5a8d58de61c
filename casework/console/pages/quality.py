"""Leads: how well people work. Scorecards of vendors, agreement in rounds, rights to be paused."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from casework.console import urls
from casework.console.access import Capability
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.lead_contexts import Agreed, Rights
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.rendering import render
from casework.errors import Denied, InputError, NotAllowed
from casework.pausing import rule
from casework.qa.pseudonyms import as_they_are
from casework.qa.report import agreement_of
from casework.qa.rights import Ruling
from casework.store.engine import reading
from casework.store.people import person_by_id
from casework.store.qa.reports import read_round
from casework.store.qa.rights import rights, trained_since
from casework.store.qa.rounds import rounds
from casework.store.qa.scorecards import scorecards, seen_vendors
from casework.vendors import sees

router = APIRouter(dependencies=[Depends(allowed(Capability.LEAD))])

#: Days that scorecards speak of.
DAYS: Final = 30

#: Rounds on the page of agreement.
ROUNDS: Final = 20


@router.get(urls.VENDORS)
def vendors(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """Scorecards of the last days: of all vendors and our own, or of the lead's vendor alone."""
    around = page(console, visit, "Vendors")
    since = around.now - timedelta(days=DAYS)
    with reading(console.engine) as session:
        shown = seen_vendors(session, visit.viewer.id)
        document = scorecards(session, shown, since, around.now, None)
    return render("leads_vendors.html", {"page": around, "cards": document, "days": DAYS})


@router.get(urls.AGREEMENT)
def agreement(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """How far reviewers agreed in the latest rounds; of all people, so for our own leads."""
    around = page(console, visit, "Agreement")
    with reading(console.engine) as session:
        if person_by_id(session, visit.viewer.id).vendor is not None:
            raise NotAllowed(
                "agreement is of everybody's reviewers", hint=f"your own: {urls.VENDORS}"
            )
        found = [
            Agreed(each, agreement_of(read_round(session, each), as_they_are))
            for each in rounds(session, limit=ROUNDS)
        ]
    return render("leads_agreement.html", {"page": around, "rounds": found})


@router.get(urls.RIGHTS)
def pausing(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """Proposals that wait for a ruling, and rights that are paused."""
    return _rights(console, visit)


@router.post(urls.RIGHTS + "/{right}")
def decide(
    console: TheConsole,
    visit: OurForm,
    right: str,
    ruling: Annotated[Ruling, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Confirm or dismiss a proposal, or give a right back."""
    try:
        rule(console.engine, right, ruling, reason, visit.viewer.id, now=console.clock())
    except (Denied, InputError) as refusal:
        return _rights(console, visit, refusal.message, refusal.status)
    return RedirectResponse(urls.RIGHTS, 303)


def _rights(console: Console, visit: Visit, refusal: str = "", status: int = 200) -> HTMLResponse:
    around = page(console, visit, "Rights")
    with reading(console.engine) as session:
        shown = _seen_rights(session, visit.viewer.id)
    return render(
        "leads_rights.html", {"page": around, "rights": shown, "refusal": refusal}, status
    )


def _seen_rights(session: Session, viewer: str) -> list[Rights]:
    own = person_by_id(session, viewer).vendor
    return [
        Rights(each, trained_since(session, each), is_own=each.person == viewer)
        for each in rights(session)
        if sees(own, person_by_id(session, each.person).vendor)
    ]
