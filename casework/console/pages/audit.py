"""Auditors: the history of all, searched, verified and taken away."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from casework.console import urls
from casework.console.access import Capability
from casework.console.contexts import AuditPage, Listing
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit, allowed
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.readable import check_shown
from casework.console.rendering import render
from casework.errors import InputError
from casework.ledger.entries import Action
from casework.ledger.verify import Report
from casework.store.audit import verify
from casework.store.engine import reading
from casework.store.export import export
from casework.store.ledger import search_entries
from casework.store.qa.blinding import hidden_from
from casework.store.restrictions import kept_from

router = APIRouter(dependencies=[Depends(allowed(Capability.AUDIT))])

#: Entries on one page.
ROWS: Final = 100


@router.get(urls.AUDIT)
def search(
    console: TheConsole,
    visit: TheVisit,
    chain: str = "",
    actor: str = "",
    action: str = "",
    since: str = "",
    until: str = "",
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> HTMLResponse:
    """Entries of the history by chain, actor, action and time, the newest first."""
    asked = {"chain": chain.strip(), "actor": actor.strip(), "action": action}
    times = {"since": since, "until": until}
    with reading(console.engine) as session:
        found = search_entries(
            session,
            **asked,
            since=_moment(since),
            until=_moment(until),
            before=before,
            limit=ROWS + 1,
            unless=kept_from(visit.viewer.id),
        )
        hidden = hidden_from(session, visit.viewer.id, {entry.chain for entry in found})
    asked |= times
    last = found[ROWS - 1].id or 0 if len(found) > ROWS else 0
    shown = [entry for entry in found[:ROWS] if entry.chain not in hidden]
    more = urls.further(urls.AUDIT, **asked, before=last) if last else ""
    return _shown(console, visit, AuditPage(asked, Listing(shown, more), list(Action)))


@router.post(urls.VERIFY)
def check(console: TheConsole, visit: OurForm) -> HTMLResponse:
    """Check the whole history, reading alone, and show what was found."""
    report: Report = verify(console.engine, console.verifier())
    return _shown(console, visit, AuditPage({}, Listing([], ""), list(Action), report))


@router.get(urls.AUDIT + "/cases/{case_id}/export")
def take_away(console: TheConsole, visit: TheVisit, case_id: str) -> Response:
    """A case's sealed entries as JSON lines, each with its proof."""
    with reading(console.engine) as session:
        check_shown(session, visit, case_id)
    lines = BytesIO()
    export(console.engine, console.verifier(), lines.write, case_id)
    named = {"Content-Disposition": f'attachment; filename="{case_id}.jsonl"'}
    return Response(lines.getvalue(), media_type="application/jsonl", headers=named)


def _shown(console: Console, visit: Visit, audit: AuditPage) -> HTMLResponse:
    return render("audit.html", {"page": page(console, visit, "Audit"), "audit": audit})


def _moment(given: str) -> datetime | None:
    """A date and time as a browser's field gives it, in UTC; None where it is empty."""
    if not given:
        return None
    try:
        return datetime.fromisoformat(given).replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(
            f"{given!r} is no date and time", hint="2026-03-05T09:00, in UTC"
        ) from error
