"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from casework.console import urls
from casework.console.identity import (
    OurForm,
    TheConsole,
    forget,
    person_provenance,
    remember,
)
from casework.console.ports import Console
from casework.console.rendering import render
from casework.errors import SignInRefused
from casework.store.accounts import check_password, end_session, open_session, use_link
from casework.store.engine import transaction

router = APIRouter()

WRONG = "That is not right, or the account is waiting after wrong passwords. Try again in a while."


@router.get(urls.SIGN_IN)
def sign_in_page(console: TheConsole, out: bool = False) -> HTMLResponse:
    """Ask who it is; who has just signed out is offered to do so at the provider as well."""
    return _page(console, "", out=out)


@router.post(urls.SIGN_IN)
def sign_in(
    request: Request,
    console: TheConsole,
    person: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Begin a session with a password."""
    _refuse_foreign(request)
    by, now = person_provenance(person or "nobody"), console.clock()
    with transaction(console.engine) as session:
        fits = check_password(session, person, password, by, now)
        secret = open_session(session, person, by, now) if fits else ""
    if not secret:
        return _page(console, WRONG, 401, person=person)
    answer = RedirectResponse(urls.HOME, 303)
    remember(answer, console, secret)
    return answer


@router.get(urls.SIGN_IN + "/{link}")
def link_page(link: str) -> HTMLResponse:
    """Ask for a click: what fetches links on somebody's behalf must not use this one up."""
    return render("link.html", {"action": urls.link(link)})


@router.post(urls.SIGN_IN + "/{link}")
def sign_in_by_link(request: Request, console: TheConsole, link: str) -> RedirectResponse:
    """Begin a session with a one-time link."""
    _refuse_foreign(request)
    now = console.clock()
    with transaction(console.engine) as session:
        person = use_link(session, link, person_provenance("one-time link"), now)
        secret = open_session(session, person, person_provenance(person), now)
    answer = RedirectResponse(urls.HOME, 303)
    remember(answer, console, secret)
    return answer


@router.post(urls.SIGN_OUT)
def sign_out(console: TheConsole, visit: OurForm) -> RedirectResponse:
    """End the session, here and in the store."""
    with transaction(console.engine) as session:
        end_session(session, visit.secret, visit.by, console.clock())
    answer = RedirectResponse(urls.SIGNED_OUT if console.single else urls.SIGN_IN, 303)
    forget(answer, console)
    return answer


def _page(
    console: Console, refusal: str, status: int = 200, *, out: bool = False, person: str = ""
) -> HTMLResponse:
    provider = console.single.client.name if console.single else ""
    context = {"refusal": refusal, "provider": provider, "out": out and bool(provider)}
    context["person"] = person
    return render("sign_in.html", context, status)


def _refuse_foreign(request: Request) -> None:
    """Take no form that another site has sent: a browser says where it comes from."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise SignInRefused("this form was sent from another site", hint="open the page here")
