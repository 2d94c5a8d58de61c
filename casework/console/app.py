"""The console's web application, put together from its ports."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from casework.console import urls
from casework.console.api.app import create_api
from casework.console.api.problems import http_error
from casework.console.live import Live
from casework.console.pages import (
    audit,
    case,
    claims,
    day,
    desk,
    events,
    health,
    leads,
    plans,
    policy,
    quality,
    restrictions,
    reviews,
    sign_in,
    single_sign_on,
    tokens,
)
from casework.console.ports import Console
from casework.console.rendering import FOLDER, render
from casework.console.security import SecurityHeaders
from casework.errors import CaseworkError, InputError, SignInRefused

#: What a page says where there is none to show.
MISSING: Final = {
    404: "there is no such page",
    405: "this is where a form goes, and no page to open",
}


def create_app(console: Console) -> FastAPI:
    """Make the application; nothing is opened or asked yet."""
    app = FastAPI(title="Casework", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.console = console
    app.state.live = Live(console.engine, console.clock)
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.mount(urls.API, create_api(console), name="api")
    for pages in (
        sign_in,
        single_sign_on,
        desk,
        day,
        events,
        case,
        claims,
        restrictions,
        reviews,
        leads,
        policy,
        plans,
        quality,
        health,
        audit,
        tokens,
    ):
        app.include_router(pages.router)
    app.add_exception_handler(CaseworkError, _failed)
    app.add_exception_handler(HTTPException, _missing)
    app.add_exception_handler(RequestValidationError, _misread)
    return app


async def _missing(request: Request, error: Exception) -> Response:
    """Answer for a path that there is not; one with a line break in it never gets to the API."""
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(urls.API):
        return await http_error(request, error)
    said = MISSING.get(error.status_code, error.detail)
    answer = _page(InputError(said), status=error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _misread(request: Request, error: Exception) -> Response:
    """Answer for an address or a form in which something cannot be read, and name that."""
    assert isinstance(error, RequestValidationError)
    names = sorted({str(each["loc"][-1]) for each in error.errors()})
    return _page(InputError(f"this cannot be read: {', '.join(names)}"))


async def _failed(request: Request, error: Exception) -> Response:
    """Show an error of ours as a page that says what to do; send the unknown to sign in."""
    assert isinstance(error, CaseworkError)
    signing_in = request.url.path.startswith((urls.SIGN_IN, urls.SINGLE))
    if isinstance(error, SignInRefused) and request.method == "GET" and not signing_in:
        return RedirectResponse(urls.SIGN_IN, 303)
    ended = isinstance(error, SignInRefused) and not signing_in
    unsent = await _unsent(request) if ended else ""
    return _page(error, unsent=unsent)


async def _unsent(request: Request) -> str:
    """The reason somebody wrote in a form of ours that came after their session's end."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return ""
    written = (await request.form()).get("rationale")
    return written if isinstance(written, str) else ""


def _page(error: CaseworkError, *, status: int | None = None, unsent: str = "") -> HTMLResponse:
    return render("error.html", {"error": error, "unsent": unsent}, status or error.status)
