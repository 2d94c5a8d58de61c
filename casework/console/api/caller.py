"""Who calls the API: from a bearer token to a viewer, its scopes, and how often it may ask."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from casework.console.access import Capability
from casework.console.identity import Visit, console_of, viewer_of
from casework.errors import NotAllowed, SignInRefused, TooManyRequests
from casework.rate import Bucket
from casework.store.engine import reading, transaction
from casework.store.tokens import Bearer, bearer, is_to_be_noted, note_token_use
from casework.tokens import Scope

#: The share of a minute's requests that a token may send at once.
BURST: Final = 0.1
#: Tokens whose rate is remembered; the one that asked least lately is forgotten first.
REMEMBERED: Final = 10_000

_SCHEME: Final = HTTPBearer(auto_error=False, description="A token: `casework tokens create`.")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a program: for whom, with which token, and what that allows."""

    visit: Visit
    token: str
    scopes: frozenset[str]
    ends_at: datetime

    def check(self, scope: Scope) -> None:
        """Refuse what the token does not allow.

        Raises:
            NotAllowed: the token lacks a scope.
        """
        if scope not in self.scopes:
            raise NotAllowed(
                f"this token does not allow to {scope}",
                hint=f"make one that does: casework tokens create --scope {scope}",
            )


class Limits:
    """How often each token may ask; every process of the console counts for itself."""

    def __init__(self, per_minute: int) -> None:
        self._rate, self._burst = per_minute / 60, max(1, round(per_minute * BURST))
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = Lock()

    def take(self, token: str, now: datetime) -> None:
        """Count one request.

        Raises:
            TooManyRequests: the token has asked too often.
        """
        with self._lock:
            bucket = self._buckets.setdefault(token, Bucket(self._rate, self._burst))
            self._buckets.move_to_end(token)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
            wait = bucket.take(now.timestamp())
        if wait:
            raise TooManyRequests("this token asks too often", retry_after=math.ceil(wait))


def identified(request: Request) -> Call:
    """Who calls; found once for each request.

    Raises:
        SignInRefused: there is no token, or it does not count.
        TooManyRequests: it asks too often.
    """
    known: Call | None = getattr(request.state, "call", None)
    if known is None:
        known = request.state.call = _identify(request)
    return known


def _identify(request: Request) -> Call:
    console = console_of(request)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    now = console.clock()
    with reading(console.engine) as session:
        found = bearer(session, secret.strip(), now) if kind.lower() == "bearer" else None
    if found is None:
        raise SignInRefused(
            "a token that is in force is needed", hint="casework tokens create PERSON"
        )
    limits: Limits = request.app.state.limits
    limits.take(found.token.id, now)
    if is_to_be_noted(found.token, now):
        with transaction(console.engine) as session:
            note_token_use(session, found.token.id, now)
    return _call(found, secret.strip())


def _call(found: Bearer, secret: str) -> Call:
    token, viewer = found.token, viewer_of(found.person, found.reach)
    return Call(Visit(viewer, secret), token.id, frozenset(token.scopes), token.ends_at)


def _of_request(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
) -> Call:
    """Who calls; the scheme is asked for so that the description of the API names it."""
    return identified(request)


TheCall = Annotated[Call, Depends(_of_request)]


def _visit(call: TheCall) -> Visit:
    return call.visit


#: Whom the token acts for, as the console's own functions take it.
Caller = Annotated[Visit, Depends(_visit)]


def needs(scope: Scope, capability: Capability | None = None) -> Callable[[Call], None]:
    """A dependency that lets on only tokens of a scope whose person's role has a capability."""

    def check(call: TheCall) -> None:
        call.check(scope)
        if capability is not None and not call.visit.viewer.may(capability):
            raise NotAllowed(
                "the role of this token's person does not allow this",
                hint="a lead or an administrator can help",
            )

    return check
