"""One's own tokens for programs: making, seeing when they were used, revoking."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from casework.console import urls
from casework.console.access import Capability
from casework.console.contexts import TokensPage
from casework.console.identity import OurForm, TheConsole, TheVisit, Visit
from casework.console.pages.desk import page
from casework.console.ports import Console
from casework.console.rendering import render
from casework.errors import InputError
from casework.store.engine import reading, transaction
from casework.store.tokens import Request, make_token, revoke_token, tokens
from casework.tokens import LASTS, LONGEST, LONGEST_NAME, Scope

router = APIRouter()


@router.get(urls.TOKENS)
def show(console: TheConsole, visit: TheVisit) -> HTMLResponse:
    """One's tokens; for administrators those of everybody."""
    return _shown(console, visit)


@router.post(urls.TOKENS)
def make(
    console: TheConsole,
    visit: OurForm,
    name: Annotated[str, Form()] = "",
    scope: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI copies it
    days: Annotated[int, Form(ge=1, le=LONGEST.days)] = LASTS.days,
) -> HTMLResponse:
    """Make a token for oneself; this page is the only one that shows its secret."""
    wanted = Request(visit.viewer.id, name, tuple(scope), timedelta(days=days))
    try:
        with transaction(console.engine) as session:
            _, secret = make_token(session, wanted, visit.by, console.clock())
    except InputError as refusal:
        return _shown(console, visit, refusal=refusal.message, status=refusal.status)
    return _shown(console, visit, secret=secret)


@router.post(urls.TOKENS + "/{token}/revoke")
def revoke(console: TheConsole, visit: OurForm, token: str) -> RedirectResponse:
    """End a token now: one's own, or as an administrator anybody's."""
    person = None if visit.viewer.may(Capability.ADMINISTER) else visit.viewer.id
    with transaction(console.engine) as session:
        revoke_token(session, token, visit.by, console.clock(), person)
    return RedirectResponse(urls.TOKENS, 303)


def _shown(
    console: Console, visit: Visit, *, secret: str = "", refusal: str = "", status: int = 200
) -> HTMLResponse:
    person = None if visit.viewer.may(Capability.ADMINISTER) else visit.viewer.id
    around = page(console, visit, "Tokens")
    with reading(console.engine) as session:
        rows = tokens(session, person)
    live = [row for row in rows if row.revoked_at is None and row.ends_at > around.now]
    shown = TokensPage(live, list(Scope), LASTS.days, LONGEST.days, LONGEST_NAME, secret, refusal)
    return render("tokens.html", {"page": around, "tokens": shown}, status)
