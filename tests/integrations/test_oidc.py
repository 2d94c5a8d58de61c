"""What is sent to an identity provider, and what of its answers is not believed."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from casework.errors import ConfigurationError, ProviderBadReply, ProviderRefused
from casework.oidc import Metadata
from integrations.oidc import OidcProvider
from tests.integrations.server import Asked, Given, Server, ok, serving

BACK = "https://casework.example/single-sign-on/back"


def provider(server: Server, secret: str = "") -> OidcProvider:
    return OidcProvider(
        issuer=server.url,
        client_id="casework",
        client_secret=SecretStr(secret),
        timeout=5.0,
        attempts=1,
    )


def described(server: Server, **more: Any) -> dict[str, Any]:
    paths = {"authorization_endpoint": "/a", "token_endpoint": "/t", "jwks_uri": "/k"}
    found = {name: server.url + path for name, path in paths.items()}
    return {"issuer": server.url, **found, **more}


@pytest.mark.parametrize(
    ("secret", "methods", "header", "in_form"),
    [
        ("s", ["client_secret_basic"], True, {}),
        ("s", ["client_secret_post"], False, {"client_id": ["casework"], "client_secret": ["s"]}),
        ("", ["client_secret_basic"], False, {"client_id": ["casework"]}),
    ],
)
async def test_a_code_is_sent_with_the_credentials_the_provider_takes(
    secret: str, methods: list[str], header: bool, in_form: dict[str, list[str]]
) -> None:
    with serving(lambda asked: ok({"id_token": "the.id.token"})) as server:
        told = described(server, token_endpoint_auth_methods_supported=methods)
        metadata = Metadata.model_validate(told)
        token = await provider(server, secret).exchange(metadata, "c", "verifier", BACK)
    assert token == "the.id.token"
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/t")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert ("authorization" in asked.headers) is header
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["c"],
        "redirect_uri": [BACK],
        "code_verifier": ["verifier"],
        **in_form,
    }


async def test_a_code_that_is_refused_is_not_sent_again() -> None:
    refusal: Given = (400, {}, json.dumps({"error": "invalid_grant"}).encode())
    with serving(lambda asked: refusal) as server:
        metadata = Metadata.model_validate(described(server))
        with pytest.raises(ProviderRefused):
            await provider(server).exchange(metadata, "c", "verifier", BACK)
    assert len(server.asked) == 1


@pytest.mark.parametrize("wrong", [{"jwks_uri": None}, {"issuer": "https://other.example"}])
async def test_a_provider_that_describes_itself_wrongly_is_not_used(wrong: dict[str, Any]) -> None:
    server: Server

    def answer(asked: Asked) -> Given:
        assert asked.path == "/v1/.well-known/openid-configuration"
        return ok(described(server, **wrong))

    with serving(answer) as server, pytest.raises(ProviderBadReply):
        await provider(server).metadata()


async def test_no_secret_goes_to_an_endpoint_that_is_not_encrypted() -> None:
    server: Server

    def answer(asked: Asked) -> Given:
        return ok(described(server, token_endpoint="http://login.example/token"))

    with serving(answer) as server, pytest.raises(ConfigurationError, match="unencrypted"):
        await provider(server, "s").metadata()


@pytest.mark.parametrize("document", [{}, {"keys": "none"}, []])
async def test_keys_that_are_none_are_an_error(document: Any) -> None:
    with serving(lambda asked: ok(document)) as server:
        metadata = Metadata.model_validate(described(server))
        with pytest.raises(ProviderBadReply):
            await provider(server).keys(metadata)
