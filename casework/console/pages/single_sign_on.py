"""Signing in at an identity provider, coming back from it, and signing out there as well."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from casework.accounts import new_secret
from casework.console import urls
from casework.console.identity import TheConsole, person_provenance, remember
from casework.console.ports import Console, SingleSignOn
from casework.errors import NotFound, ProviderRefused, SignInRefused
from casework.oidc import (
    AWAY,
    SYSTEM,
    Attempt,
    Claims,
    account_of,
    authorization_url,
    check_return,
    roles_of,
    sign_out_url,
    verified,
)
from casework.store.engine import transaction
from casework.store.single_sign_on import enter

router = APIRouter()

#: Keeps one secret in the browser while somebody is away; to be sent to these pages alone.
COOKIE: Final = "casework-sign-on"
#: Who acts in the history until it is known whom the provider has signed in.
ACTOR: Final = "identity provider"


def _single(console: TheConsole) -> SingleSignOn:
    """The identity provider in use.

    Raises:
        NotFound: there is none.
    """
    if console.single is None:
        raise NotFound("no identity provider is set up", hint="sign in with a password or a link")
    return console.single


TheProvider = Annotated[SingleSignOn, Depends(_single)]


@router.get(urls.SINGLE_BEGIN)
async def begin(console: TheConsole, single: TheProvider) -> RedirectResponse:
    """Send the browser to the provider, and give it what only its return will show."""
    metadata, attempt = await single.provider.metadata(), Attempt(new_secret())
    back = single.client.there(urls.SINGLE_BACK)
    there = authorization_url(metadata, single.client, back, attempt)
    answer = RedirectResponse(there, 303)
    answer.set_cookie(
        COOKIE,
        attempt.secret,
        max_age=int(AWAY.total_seconds()),
        httponly=True,
        samesite="lax",  # so that it comes along when the provider sends the browser back
        secure=console.secure,
        path=urls.SINGLE,
    )
    return answer


@router.get(urls.SINGLE_BACK)
async def come_back(request: Request, console: TheConsole, single: TheProvider) -> Response:
    """Begin a session for whom the provider has signed in, if they are somebody here."""
    kept = request.cookies.get(COOKIE)
    attempt = Attempt(kept) if kept else None
    code = check_return(single.client, attempt, dict(request.query_params))
    assert attempt is not None
    claims = await _claims(console, single, code, attempt)
    account, roles = account_of(claims, single.client), roles_of(claims, single.client)
    with transaction(console.engine) as session:
        secret = enter(session, account, roles, person_provenance(ACTOR), console.clock())
    if secret is None:
        raise SignInRefused(
            f"the identity provider knows you as {account}, but that is nobody here",
            hint=f"an administrator can say who: "
            f"casework people link PERSON --system {SYSTEM} --id {account}",
        )
    answer = RedirectResponse(urls.HOME, 303)
    remember(answer, console, secret)
    answer.delete_cookie(COOKIE, path=urls.SINGLE, secure=console.secure, httponly=True)
    return answer


@router.get(urls.SINGLE_OUT)
async def sign_out(single: TheProvider) -> RedirectResponse:
    """End the session at the provider as well, where it lets applications do so."""
    back = single.client.there(urls.SIGN_IN)
    there = sign_out_url(await single.provider.metadata(), single.client, back)
    return RedirectResponse(there or urls.SIGN_IN, 303)


async def _claims(console: Console, single: SingleSignOn, code: str, attempt: Attempt) -> Claims:
    """What the provider says of who has signed in, checked."""
    metadata = await single.provider.metadata()
    back = single.client.there(urls.SINGLE_BACK)
    try:
        token = await single.provider.exchange(metadata, code, attempt.verifier, back)
    except ProviderRefused as refusal:
        raise SignInRefused(
            "the identity provider did not take this sign-in",
            hint="begin again; if it never does, the client's id or secret may be wrong",
        ) from refusal
    keys = await single.provider.keys(metadata)
    return verified(token, keys, single.client, attempt.nonce, console.clock())
