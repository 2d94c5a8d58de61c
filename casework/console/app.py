"""The console's web application, put together from its ports."""

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from casework.console import urls
from casework.console.api.app import create_api
from casework.console.api.problems import http_error
from casework.console.pages import (
    audit,
    case,
    claims,
    desk,
    leads,
    plans,
    policy,
    reviews,
    sign_in,
    tokens,
)
from casework.console.ports import Console
from casework.console.rendering import FOLDER, render
from casework.console.security import SecurityHeaders
from casework.errors import CaseworkError, SignInRefused


def create_app(console: Console) -> FastAPI:
    """Make the application; nothing is opened or asked yet."""
    app = FastAPI(title="Casework", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.console = console
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.mount(urls.API, create_api(console), name="api")
    for pages in (sign_in, desk, case, claims, reviews, leads, policy, plans, audit, tokens):
        app.include_router(pages.router)
    app.add_exception_handler(CaseworkError, _failed)
    app.add_exception_handler(HTTPException, _missing)
    return app


async def _missing(request: Request, error: Exception) -> Response:
    """Answer for a path that there is not; one with a line break in it never gets to the API."""
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(urls.API):
        return await http_error(request, error)
    return await http_exception_handler(request, error)


async def _failed(request: Request, error: Exception) -> Response:
    """Show an error of ours as a page that says what to do; send the unknown to sign in."""
    assert isinstance(error, CaseworkError)
    if isinstance(error, SignInRefused) and request.url.path != urls.SIGN_IN:
        if request.method == "GET":
            return RedirectResponse(urls.SIGN_IN, 303)
        return _page(error)
    return _page(error)


def _page(error: CaseworkError) -> HTMLResponse:
    return render("error.html", {"error": error}, error.status)
