"""Webhooks to a system of the operator's own, signed as Standard Webhooks has it.

Each effect is one POST. ``webhook-id`` is the effect's key, the same however often it is sent; the
body says what to do and to whom. The twin takes the same messages without a network; it is used
only where the URL is ``twin:``.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import binascii
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from pydantic import SecretStr
from standardwebhooks import Webhook

from casework.effects import Delivery, Receipt
from casework.errors import ConfigurationError
from casework.ledger.entries import timestamp
from integrations.http import HttpService

#: Every answer that says it was taken.
_TAKEN: Final = tuple(range(200, 300))


class WebhookDestination:
    """The system over HTTP."""

    def __init__(
        self,
        *,
        name: str,
        url: str,
        secret: SecretStr,
        service: HttpService,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare to send to ``url``; ``now`` dates the signatures.

        Raises:
            ConfigurationError: the secret is not one.
        """
        self.name = name
        self._url, self._service, self._now = url, service, now
        self._signer = signer(secret)

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Post one effect."""
        body = orjson.dumps(message(delivery))
        headers = signed_headers(self._signer, delivery.effect.key, self._now(), body)
        await self._service.call(
            "POST", self._url, content=body, headers=headers, accept=_TAKEN, reads=False
        )
        return Receipt(delivery.effect.key)

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class WebhookTwin:
    """A stand-in that does each effect once, however often it comes."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        self.done: dict[str, dict[str, Any]] = {}

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Take one effect."""
        self.done.setdefault(delivery.effect.key, message(delivery))
        return Receipt(delivery.effect.key)

    async def close(self) -> None:
        """There is nothing to close."""


def message(delivery: Delivery) -> dict[str, Any]:
    """The body of a webhook: the same for the same effect, whenever it is sent."""
    effect = delivery.effect
    at = {} if delivery.queued_at is None else {"timestamp": timestamp(delivery.queued_at)}
    told = {"text": delivery.text, "link": delivery.link}
    return {
        "type": f"effect.{effect.kind}",
        **at,
        "data": {
            "key": effect.key,
            "case_id": effect.case_id,
            **effect.data,
            **{name: value for name, value in told.items() if value},
        },
    }


def signer(secret: SecretStr) -> Webhook:
    """What signs with a secret.

    Raises:
        ConfigurationError: it is not 24 to 64 bytes in base64 after its prefix.
    """
    # Raised outside the handler: the decoder's error would bring the secret along.
    with suppress(binascii.Error):
        key = b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)
        if 24 <= len(key) <= 64:
            return Webhook(key)
    raise ConfigurationError(
        "CASEWORK_WEBHOOK_SECRET is not a signing secret",
        hint="whsec_ and 24 to 64 random bytes in base64, the same on both sides",
    )


def signed_headers(webhook: Webhook, key: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers by which the receiver knows us, the message and its age."""
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign(key, now, body.decode()),
    }
