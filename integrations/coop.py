"""ROOST Coop: decisions reported to a platform in the form in which Coop itself reports them.

A platform that has built its endpoints for Coop's callbacks takes Casework's without a change: the
bodies are Coop's, and ``Coop-Signature`` is the base64 of an RSASSA-PKCS1-v1_5 signature with
SHA-256 over the raw body (https://github.com/roostorg/coop/tree/main/docs/api,
docs/development/api-auth.md).
"""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from casework.effects import Delivery, EffectKind, Receipt
from casework.errors import ConfigurationError, ProviderRefused
from integrations.delivering import told, untaken
from integrations.http import HttpService

SIGNATURE: Final = "Coop-Signature"

#: Where below the platform's URL its two endpoints are.
ACTIONS: Final = "actions"
APPEALS: Final = "appeals"

#: What Coop calls the outcomes of an appeal: whether the person who appealed is right.
APPEAL_DECISIONS: Final[Mapping[str, str]] = {"overturn": "ACCEPT", "uphold": "REJECT"}


class Coop(Protocol):
    """A platform's endpoints for callbacks. ``send`` may raise ``ProviderError``."""

    async def send(self, endpoint: str, body: Mapping[str, Any]) -> None:
        """Report something that was decided."""

    async def close(self) -> None:
        """Let go of connections."""


class CoopClient:
    """The platform over HTTP."""

    def __init__(self, *, service: HttpService, key: RSAPrivateKey) -> None:
        self._service, self._key = service, key

    async def send(self, endpoint: str, body: Mapping[str, Any]) -> None:
        """Post a signed callback; by the effect's key in it the platform knows a repetition."""
        content = orjson.dumps(body)
        headers = {SIGNATURE: signature(self._key, content)}
        taken = (200, 201, 202, 204)
        await self._service.call(
            "POST", endpoint, content=content, headers=headers, accept=taken, reads=False
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class CoopTwin:
    """A platform in memory, which carries each effect out once, for development and tests."""

    def __init__(self) -> None:
        self.done: dict[str, tuple[str, Mapping[str, Any]]] = {}

    async def send(self, endpoint: str, body: Mapping[str, Any]) -> None:
        """Carry out what is asked, unless its key is known."""
        self.done.setdefault(str(body["custom"]["casework"]["effect"]), (endpoint, body))

    async def close(self) -> None:
        """There is nothing to close."""


class CoopDestination:
    """A platform as something that effects are sent to.

    An action, and the inverse that takes it back, are action callbacks on the item that the
    effect's data name: ``item_id`` with ``item_type``, or else ``subject_id`` with the type that
    subjects have there. A status with ``appeal_id`` is the decision of an appeal.
    """

    def __init__(
        self,
        *,
        coop: Coop,
        account_type: str = "user",
        subject_type: str | None = None,
        name: str = "coop",
    ) -> None:
        """Subjects are accounts unless ``subject_type`` says what else they are there."""
        self.name, self._coop, self._account = name, coop, account_type
        self._subject = subject_type or account_type

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Send the callback."""
        effect = delivery.effect
        if effect.kind in (EffectKind.ACT, EffectKind.REVERSE):
            await self._coop.send(ACTIONS, self._action(delivery))
        elif effect.kind is EffectKind.SET_STATUS and effect.data.get("appeal_id"):
            await self._coop.send(APPEALS, self._appeal(delivery))
        else:
            raise untaken(self.name, delivery)
        return Receipt()

    async def close(self) -> None:
        """Close the connections."""
        await self._coop.close()

    def _action(self, delivery: Delivery) -> dict[str, Any]:
        """The body of an action callback; without a rule it is one after a person's review."""
        data = delivery.effect.data
        return {
            "item": self._item(delivery),
            "action": {"id": told(self.name, delivery, "action")},
            "policies": [_policy(str(each)) for each in data.get("policies", ())],
            "rules": [_named(str(data["rule"]))] if data.get("rule") else [],
            "custom": _custom(delivery),
        }

    def _appeal(self, delivery: Delivery) -> dict[str, Any]:
        """The body of an appeal decision callback."""
        decision = told(self.name, delivery, "decision")
        if decision not in APPEAL_DECISIONS:
            raise ProviderRefused(
                f"{self.name} knows no such decision of an appeal",
                hint=f"decisions are: {', '.join(APPEAL_DECISIONS)}",
            )
        person = {"id": told(self.name, delivery, "appealed_by"), "typeId": self._account}
        return {
            "appealId": told(self.name, delivery, "appeal_id"),
            "item": self._item(delivery),
            "appealedBy": person,
            "appealDecision": APPEAL_DECISIONS[decision],
            "custom": _custom(delivery),
        }

    def _item(self, delivery: Delivery) -> dict[str, str]:
        data = delivery.effect.data
        if data.get("item_id"):
            return {"id": str(data["item_id"]), "typeId": told(self.name, delivery, "item_type")}
        return {"id": told(self.name, delivery, "subject_id"), "typeId": self._subject}


def _named(identity: str) -> dict[str, str]:
    """A rule of the bundle, whose id is its name."""
    return {"id": identity, "name": identity}


def _policy(identity: str) -> dict[str, str]:
    """A clause of the bundle; Casework counts no strikes, so it carries no penalty."""
    return {**_named(identity), "penalty": "NONE"}


def _custom(delivery: Delivery) -> dict[str, Any]:
    """What Coop has no field for: the case, whether an action is undone, and the effect's key."""
    effect = delivery.effect
    undone = effect.kind is EffectKind.REVERSE
    return {"casework": {"case": effect.case_id, "effect": effect.key, "reverses": undone}}


def signing_key(path: Path) -> RSAPrivateKey:
    """Read the key that signs callbacks.

    Raises:
        ConfigurationError: it cannot be read, or is not an RSA key of 2048 bits or more.
    """
    hint = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out coop.pem"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise ConfigurationError(f"{path} is not an RSA key of 2048 bits or more", hint=hint)
    return key


def signature(key: RSAPrivateKey, content: bytes) -> str:
    """The value of the signature's header for a body."""
    return b64encode(key.sign(content, PKCS1v15(), SHA256())).decode()
