"""An identity provider over HTTP: its metadata, its keys, and the exchange of a code.

Everything is asked anew at each sign-in: people sign in seldom, and a rotated key is known at once.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import httpx
from pydantic import SecretStr, ValidationError

from casework.errors import ProviderBadReply, ProviderRefused
from casework.oidc import Metadata
from integrations.credentials import checked_url
from integrations.http import HttpService

_NAME: Final = "the identity provider"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class OidcProvider:
    """One provider. A connection is made for each sign-in and closed after it."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: SecretStr,
        timeout: float,
        attempts: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare to ask a provider; nothing is sent yet.

        Raises:
            ConfigurationError: its URL cannot be used, or would send secrets in clear.
        """
        checked_url(_NAME, issuer, secret=True)
        self._issuer, self._client_id, self._secret = issuer, client_id, client_secret
        self._timeout, self._attempts, self._transport = timeout, attempts, transport

    async def metadata(self) -> Metadata:
        """What the provider says of itself.

        Raises:
            ProviderError: it cannot be asked, or says something that cannot be used.
        """
        path = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        document = await self._call("GET", path)
        try:
            found = Metadata.model_validate(document)
        except ValidationError as error:
            raise ProviderBadReply(f"{_NAME} describes itself in a form we do not know") from error
        if found.issuer != self._issuer:
            raise ProviderBadReply(
                f"{_NAME} calls itself otherwise than CASEWORK_OIDC_ISSUER does",
                hint="set it to the issuer as the provider writes it, slash for slash",
            )
        for endpoint in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            checked_url(_NAME, endpoint, secret=True)
        return found

    async def keys(self, metadata: Metadata) -> Sequence[Mapping[str, Any]]:
        """The keys with which the provider signs now.

        Raises:
            ProviderError: they cannot be had.
        """
        document = await self._call("GET", metadata.jwks_uri)
        keys = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(keys, list):
            raise ProviderBadReply(f"{_NAME} gives no keys")
        return [key for key in keys if isinstance(key, dict)]

    async def exchange(self, metadata: Metadata, code: str, verifier: str, back: str) -> str:
        """The ID token for a code; a code is taken once.

        Raises:
            ProviderRefused: it did not take the code, or does not know our credentials.
            ProviderError: it cannot be asked.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        headers = self._credentials(metadata, form)
        document = await self._call(
            "POST",
            metadata.token_endpoint,
            content=urlencode(form).encode(),
            headers={**_FORM, **headers},
            once=True,
        )
        token = document.get("id_token") if isinstance(document, dict) else None
        if not isinstance(token, str):
            raise ProviderRefused(f"{_NAME} gave no ID token")
        return token

    def _credentials(self, metadata: Metadata, form: dict[str, str]) -> dict[str, str]:
        """Our credentials as a header (RFC 6749, 2.3.1), or put into the form."""
        secret = self._secret.get_secret_value()
        if secret and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(secret)}"
            return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        form["client_id"] = self._client_id
        if secret:
            form["client_secret"] = secret
        return {}

    async def _call(self, method: str, url: str, **more: Any) -> Any:
        service = HttpService(
            name=_NAME,
            base_url=self._issuer,
            token=SecretStr(""),
            timeout=self._timeout,
            attempts=self._attempts,
            concurrency=1,
            transport=self._transport,
        )
        try:
            return (await service.call(method, url, **more)).document
        finally:
            await service.close()
