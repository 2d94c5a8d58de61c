"""What is believed of an identity provider's token, and what is derived for one sign-in."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from casework.errors import SignInRefused
from casework.oidc import LEEWAY, Attempt, Client, account_of, verified
from tests.factories.identity_provider import (
    CLIENT_ID,
    rsa_key,
    with_public_key,
    without_signature,
)

CLIENT = Client("https://login.example", CLIENT_ID, "https://casework.example")
NONCE = Attempt("secret").nonce


@pytest.fixture
def claims(now: datetime) -> dict[str, Any]:
    """Claims that hold."""
    at = int(now.timestamp())
    told = {"iss": CLIENT.issuer, "aud": CLIENT_ID, "sub": "u-1", "nonce": NONCE}
    return {**told, "iat": at, "exp": at + 300}


def signed(claims: dict[str, Any], kid: str = "first", key: RSAKey | None = None) -> str:
    return jwt.encode({"alg": "RS256", "kid": kid}, claims, key or rsa_key("first"))


def believed(token: str, now: datetime, **more: Any) -> Any:
    keys = more.get("keys", [rsa_key("first").as_dict(private=False)])
    return verified(token, keys, CLIENT, NONCE, now)


def test_a_token_that_holds_is_believed_until_a_minute_after_its_end(
    claims: dict[str, Any], now: datetime
) -> None:
    ends = timedelta(seconds=300) + LEEWAY
    assert believed(signed(claims), now + ends - timedelta(seconds=1))["sub"] == "u-1"
    with pytest.raises(SignInRefused, match="has expired"):
        believed(signed(claims), now + ends)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"iss": "https://login.example/"}, "another issuer"),
        ({"aud": []}, "meant for another application"),
        ({"aud": None}, "meant for another application"),
        ({"aud": [CLIENT_ID, "other"]}, "to which application"),
        ({"azp": "other"}, "given to another application"),
        ({"exp": None}, "has expired"),
        ({"exp": "tomorrow"}, "has expired"),
        ({"iat": None}, "from the future"),
        ({"iat": 9_999_999_999}, "from the future"),
        ({"nbf": 9_999_999_999}, "from the future"),
        ({"nonce": None}, "another sign-in"),
        ({"nonce": Attempt("another").nonce}, "another sign-in"),
        ({"sub": None}, "names nobody"),
    ],
)
def test_a_token_with_a_claim_that_does_not_hold_is_not(
    claims: dict[str, Any], now: datetime, wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(SignInRefused, match=says):
        believed(signed(claims | wrong), now)


def test_several_audiences_hold_where_the_token_was_given_to_us(
    claims: dict[str, Any], now: datetime
) -> None:
    several = claims | {"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}
    assert believed(signed(several), now)["sub"] == "u-1"


def tampered(token: str) -> str:
    """The same token with another first letter of its signature."""
    said, _, signature = token.rpartition(".")
    return f"{said}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def test_no_signature_but_of_the_providers_own_key_counts(
    claims: dict[str, Any], now: datetime
) -> None:
    genuine = rsa_key("first")
    for token in (
        without_signature(claims),
        with_public_key(claims, genuine),
        signed(claims, key=rsa_key("other")),
        signed(claims, kid="second"),
        tampered(signed(claims)),
        "not.a.token",
        "",
    ):
        with pytest.raises(SignInRefused, match="not signed with a key of its own"):
            believed(token, now)
    shared = {"kty": "oct", "k": "c2VjcmV0", "kid": "first"}
    with pytest.raises(SignInRefused):
        believed(signed(claims), now, keys=[shared])
    with pytest.raises(SignInRefused):
        believed(signed(claims), now, keys=[])


def test_state_nonce_and_verifier_of_a_sign_in_differ_and_fit_rfc_7636() -> None:
    attempt = Attempt("secret")
    derived = {attempt.state, attempt.nonce, attempt.verifier}
    assert len(derived) == 3
    assert 43 <= len(attempt.verifier) <= 128
    assert derived.isdisjoint({Attempt("other").state, "secret"})


@pytest.mark.parametrize("sub", ["", "a\x00b", "x" * 256, 7, None])
def test_an_account_is_named_by_a_text_that_can_be_shown(sub: Any) -> None:
    with pytest.raises(SignInRefused, match="does not say your sub"):
        account_of({"sub": sub}, CLIENT)
