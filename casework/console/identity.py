"""Who is at the other end: from a cookie to a viewer, and forms that came from our own pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Annotated, Final

from fastapi import Depends, Form, Request, Response
from fastapi.concurrency import run_in_threadpool

from casework.accounts import SESSION_LONGEST, csrf_token
from casework.console.access import Capability, Viewer
from casework.console.ports import Console
from casework.errors import NotAllowed, SignInRefused
from casework.ledger.entries import Provenance
from casework.store.accounts import SignedIn, is_to_be_noted, note_use, signed_in
from casework.store.engine import reading, transaction
from casework.store.tables import Person
from casework.vendors import Reach
from casework.version import code_version

#: With the prefix ``__Host-`` a browser takes the cookie over HTTPS alone, for this host alone.
COOKIE: Final = "casework"
SECURE_COOKIE: Final = "__Host-casework"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who has signed in."""

    viewer: Viewer
    secret: str

    @property
    def csrf(self) -> str:
        """What this session's forms must carry."""
        return csrf_token(self.secret)

    @property
    def by(self) -> Provenance:
        """The person, as the history names them."""
        return person_provenance(self.viewer.id)


def viewer_of(person: Person, reach: Reach) -> Viewer:
    """Somebody as the console's pages and its API see them."""
    return Viewer(person.id, person.name, frozenset(person.roles), reach.queues, reach.bounded_by)


def person_provenance(person: str) -> Provenance:
    """A person acting in the console."""
    return Provenance(actor=person, actor_kind="person", code_version=code_version())


def console_of(request: Request) -> Console:
    """The surroundings that ``create_app`` was given."""
    console: Console = request.app.state.console
    return console


async def _console_of(request: Request) -> Console:
    """The same for what depends on it; a function that is not async would be given a thread."""
    return console_of(request)


TheConsole = Annotated[Console, Depends(_console_of)]


def session_of(request: Request, console: TheConsole) -> SignedIn:
    """The session of whoever asks.

    Raises:
        SignInRefused: nobody has signed in, or their session has ended.
    """
    secret = _secret_of(request, console)
    with reading(console.engine) as session:
        found = signed_in(session, secret, console.clock()) if secret else None
    if found is None:
        raise SignInRefused("sign in first")
    return found


TheSession = Annotated[SignedIn, Depends(session_of)]


async def glance_of(request: Request, console: TheConsole, found: TheSession) -> Visit:
    """Who has signed in, without making their session go on for longer."""
    return Visit(viewer_of(found.person, found.reach), _secret_of(request, console))


async def visit_of(
    visit: Annotated[Visit, Depends(glance_of)], console: TheConsole, found: TheSession
) -> Visit:
    """Who has signed in, and is there: their session goes on."""
    now = console.clock()
    if is_to_be_noted(found, now):
        await run_in_threadpool(_note_use, console, visit.secret, now)
    return visit


def _note_use(console: Console, secret: str, now: datetime) -> None:
    with transaction(console.engine) as session:
        note_use(session, secret, now)


TheVisit = Annotated[Visit, Depends(visit_of)]


async def from_our_form(visit: TheVisit, csrf: Annotated[str, Form()] = "") -> Visit:
    """Who has sent a form of our own.

    Raises:
        NotAllowed: the form carries another session's token, or none.
    """
    if not compare_digest(csrf.encode(), visit.csrf.encode()):
        raise NotAllowed("this form is not of your session", hint="load the page again")
    return visit


OurForm = Annotated[Visit, Depends(from_our_form)]


def allowed(capability: Capability) -> Callable[[Visit], Awaitable[Visit]]:
    """A dependency that lets on only those whose role has a capability."""

    async def check(visit: TheVisit) -> Visit:
        if not visit.viewer.may(capability):
            raise NotAllowed(
                "your role does not allow this", hint="a lead or an administrator can help"
            )
        return visit

    return check


def remember(response: Response, console: Console, secret: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        _cookie(console),
        secret,
        max_age=int(SESSION_LONGEST.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=console.secure,
        path="/",
    )


def forget(response: Response, console: Console) -> None:
    """Take the session back from the browser."""
    response.delete_cookie(
        _cookie(console), path="/", secure=console.secure, httponly=True, samesite="lax"
    )


def _secret_of(request: Request, console: Console) -> str:
    return request.cookies.get(_cookie(console), "")


def _cookie(console: Console) -> str:
    return SECURE_COOKIE if console.secure else COOKIE
