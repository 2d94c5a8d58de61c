"""How a secret is shown to a service, and which URLs it may be sent to."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import TypeAlias

import httpx

from casework.errors import ConfigurationError

#: The headers by which a secret is shown.
Scheme: TypeAlias = Callable[[str], Mapping[str, str]]


def bearer(secret: str) -> Mapping[str, str]:
    """Show the secret as a bearer token."""
    return {"Authorization": f"Bearer {secret}"}


def basic(user: str) -> Scheme:
    """Show the secret as the password of a user (RFC 7617)."""

    def headers(secret: str) -> Mapping[str, str]:
        return {"Authorization": "Basic " + b64encode(f"{user}:{secret}".encode()).decode()}

    return headers


def in_header(name: str) -> Scheme:
    """Show the secret in a header of its own."""
    return lambda secret: {name: secret}


def checked_url(name: str, base_url: str, secret: bool) -> httpx.URL:
    """The URL of a service.

    Raises:
        ConfigurationError: it cannot be used, or would send a secret in clear.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"the URL of {name} is not one: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(
            f"the URL of {name} is not an HTTP URL", hint="for example https://api.example.com/v1"
        )
    if secret and url.scheme == "http" and url.host not in ("localhost", "127.0.0.1", "::1"):
        raise ConfigurationError(
            f"the URL of {name} would send its key unencrypted", hint="use an https:// URL"
        )
    return url
