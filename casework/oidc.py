"""Signing in at an identity provider (OpenID Connect Core 1.0): what is asked, what is believed.

The browser keeps one secret while somebody is away at the provider. State, nonce and the PKCE
verifier (RFC 7636) are derived from it, each by itself, so that nothing is kept here meanwhile and
none of them tells anything of the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from pydantic import BaseModel, ConfigDict

from casework.errors import SignInRefused
from casework.gates import Role

#: Signatures that are believed: with a key of the provider's own, never with one we share.
ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
#: How far the provider's clock may be from ours.
LEEWAY: Final = timedelta(seconds=60)
#: How long somebody may be away at the provider.
AWAY: Final = timedelta(minutes=10)
#: What the provider's accounts are called among a person's accounts in other systems.
SYSTEM: Final = "oidc"

Claims: TypeAlias = Mapping[str, Any]

_AGAIN: Final = "begin again on the sign-in page"


class Metadata(BaseModel):
    """What a provider says of itself (OpenID Connect Discovery 1.0), as far as it is used."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


@dataclass(frozen=True, slots=True)
class Client:
    """The console, as the provider knows it, and how its accounts become people."""

    issuer: str
    client_id: str
    console_url: str
    claim: Literal["sub", "email"] = "sub"  # that names the account
    groups_claim: str = ""  # that names the groups; empty: they say nothing about roles
    roles: Mapping[str, Role] = field(default_factory=dict)  # by group
    name: str = "single sign-on"  # what the sign-in page calls the provider

    def there(self, path: str) -> str:
        """A page of the console, as the provider reaches it."""
        return f"{self.console_url.rstrip('/')}{path}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in, from the secret that the browser keeps."""

    secret: str

    @property
    def state(self) -> str:
        """What the answer must bring back."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token must carry."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What proves that who began is who asks for the token."""
        return self._derived("verifier")

    def _derived(self, purpose: str) -> str:
        return sha256(f"oidc\x00{purpose}\x00{self.secret}".encode()).hexdigest()


def authorization_url(metadata: Metadata, client: Client, back: str, attempt: Attempt) -> str:
    """Where the browser goes to sign in; ``back`` is where the provider sends it afterwards."""
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": back,
        "scope": "openid email" if client.claim == "email" else "openid",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": create_s256_code_challenge(attempt.verifier),
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"


def sign_out_url(metadata: Metadata, client: Client, back: str) -> str | None:
    """Where the provider's own session ends (RP-Initiated Logout 1.0); None where it has none."""
    if metadata.end_session_endpoint is None:
        return None
    asked = {"client_id": client.client_id, "post_logout_redirect_uri": back}
    joint = "&" if "?" in metadata.end_session_endpoint else "?"
    return f"{metadata.end_session_endpoint}{joint}{urlencode(asked)}"


def check_return(client: Client, attempt: Attempt | None, returned: Mapping[str, str]) -> str:
    """The code that an answer brings, if it is an answer to what this browser began.

    Raises:
        SignInRefused: it is not, or the provider refused.
    """
    state = returned.get("state", "")
    if attempt is None or not compare_digest(state.encode(), attempt.state.encode()):
        raise SignInRefused("this answer is not to a sign-in begun in this browser", hint=_AGAIN)
    if returned.get("iss", client.issuer) != client.issuer:
        raise SignInRefused("this answer is from another identity provider", hint=_AGAIN)
    if "error" in returned or not returned.get("code"):
        raise SignInRefused("the identity provider did not sign you in", hint=_AGAIN)
    return returned["code"]


def verified(
    token: str, keys: Sequence[Mapping[str, Any]], client: Client, nonce: str, now: datetime
) -> Claims:
    """The claims of an ID token that holds (OpenID Connect Core 1.0, 3.1.3.7).

    Raises:
        SignInRefused: its signature, issuer, audience, time or nonce does not hold.
    """
    claims = _signed(token, keys)
    problem = next(_problems(claims, client, nonce, now.timestamp()), None)
    if problem:
        raise SignInRefused(f"the identity provider's token {problem}", hint=_AGAIN)
    return claims


def account_of(claims: Claims, client: Client) -> str:
    """The account that a token is about, as people's accounts are linked.

    Raises:
        SignInRefused: the token does not name it, or its address was not confirmed.
    """
    account = claims.get(client.claim)
    if not isinstance(account, str) or not account.isprintable() or not 0 < len(account) < 256:
        raise SignInRefused(f"the identity provider does not say your {client.claim}")
    if client.claim == "sub":
        return account
    if claims.get("email_verified") is not True:
        raise SignInRefused("the identity provider has not confirmed your e-mail address")
    return account.lower()


def roles_of(claims: Claims, client: Client) -> list[Role] | None:
    """The roles that somebody's groups give them; None where groups say nothing about roles.

    Raises:
        SignInRefused: none of the groups has a role.
    """
    if not client.groups_claim:
        return None
    groups = claims.get(client.groups_claim)
    named = groups if isinstance(groups, list) else [groups]
    roles = sorted({role for group, role in client.roles.items() if group in named})
    if not roles:
        raise SignInRefused(
            "none of your groups has a role here",
            hint="an administrator of the identity provider can put you into one",
        )
    return roles


def _signed(token: str, keys: Sequence[Mapping[str, Any]]) -> Claims:
    """The claims of a token that one of the keys has signed."""
    for key in _usable(keys):
        try:
            found = jwt.decode(token, key, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            continue  # another key may fit: providers rotate theirs, and not all name them
        if found.header.get("kid") in (None, key.kid):
            return found.claims
    raise SignInRefused(
        "the identity provider's token is not signed with a key of its own",
        hint=_AGAIN,
    )


def _usable(keys: Sequence[Mapping[str, Any]]) -> Iterator[Key]:
    """The public keys among a provider's, of a kind that we know."""
    for document in keys:
        if document.get("kty") not in ("RSA", "EC", "OKP") or document.get("use", "sig") != "sig":
            continue
        try:
            yield import_key(dict(document))
        except (JoseError, ValueError):
            continue  # a curve or a form that we do not know; nothing is signed with it for us


def _problems(claims: Claims, client: Client, nonce: str, now: float) -> Iterator[str]:
    """What does not hold of a token's claims."""
    leeway, audience = LEEWAY.total_seconds(), claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    ends, made, begins = (_number(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if claims.get("iss") != client.issuer:
        yield "is another issuer's"
    if client.client_id not in audiences:
        yield "is meant for another application"
    if claims.get("azp", client.client_id) != client.client_id:
        yield "was given to another application"
    if len(audiences) > 1 and "azp" not in claims:
        yield "does not say to which application it was given"
    if ends is None or now >= ends + leeway:
        yield "has expired"
    if made is None or max(made, begins or made) > now + leeway:
        yield "is from the future"
    if not compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
        yield "is an answer to another sign-in"
    if not claims.get("sub"):
        yield "names nobody"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
