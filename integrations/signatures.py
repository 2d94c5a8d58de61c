"""Whether a post is what its source has sent: each vendor's signature, over the raw body.

Nothing here reads a clock or a setting. Signatures are compared as they are written, in constant
time: another spelling of the same digest is refused, as any other change is.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from casework.errors import ConfigurationError
from casework.inbox.posts import Post, Vendor

#: How far a signed time may be from ours, either way: what Slack and Standard Webhooks advise.
TOLERANCE: Final = timedelta(minutes=5)


class Doubt(StrEnum):
    """Why a post is not believed. Stable codes."""

    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    SIGNATURE = "signature"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"


@dataclass(frozen=True, slots=True)
class Genuine:
    """The post is its source's. ``delivery`` names it, and is part of what was signed."""

    delivery: bytes


@dataclass(frozen=True, slots=True)
class Doubtful:
    """The post is not believed, and why."""

    reason: Doubt


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a vendor signs.

    ``matches`` compares one signature, as it is written, with what a secret makes of the post.
    ``named_by`` gives what tells one delivery from another; it must be part of what is signed.
    """

    header: str
    matches: Callable[[str, Post, str], bool]
    separator: str | None = None  # where one header may carry several signatures
    time_header: str | None = None  # None: the vendor signs no time
    read_time: Callable[[str], datetime] = datetime.fromisoformat
    named_by: Callable[[Post], bytes] = lambda post: sha256(post.body).digest()


def check(vendor: Vendor, post: Post, secrets: Sequence[str], now: datetime) -> Genuine | Doubtful:
    """Say whether a post was signed with one of a source's secrets, and lately.

    A vendor that signs no time can be told from a replay by its delivery alone.
    """
    scheme = SCHEMES[vendor]
    written = post.headers.get(scheme.header, "")
    if not written:
        return Doubtful(Doubt.UNSIGNED)
    if scheme.time_header is not None and (doubt := _untimely(scheme, post, now)):
        return Doubtful(doubt)
    given = written.split(scheme.separator) if scheme.separator else [written]
    # All are compared, whichever fits: the time taken does not tell which secret it was.
    fits = [scheme.matches(secret, post, one.strip()) for secret in secrets for one in given]
    return Genuine(scheme.named_by(post)) if any(fits) else Doubtful(Doubt.SIGNATURE)


def check_secret(vendor: Vendor, secret: str) -> None:
    """Refuse a secret that no signature of this vendor can be checked with.

    Raises:
        ConfigurationError: it is empty, or not what the vendor gives out.
    """
    if not secret.strip():
        raise ConfigurationError("a secret is empty")
    try:
        if vendor is Vendor.STANDARD:
            Webhook(secret)
        if vendor is Vendor.COOP and not isinstance(_public_key(secret), RSAPublicKey):
            raise ConfigurationError("not an RSA key", hint="Coop signs with RSA alone")
    except (ValueError, EmptyWebhookSecretError) as error:
        raise ConfigurationError(
            "a secret cannot be read", hint=f"{vendor} wants {_WANTED[vendor]}"
        ) from error


_WANTED: Final[Mapping[Vendor, str]] = {
    Vendor.STANDARD: "whsec_ and base64",
    Vendor.COOP: "the public key in PEM, with its BEGIN and END lines",
}


def _untimely(scheme: Scheme, post: Post, now: datetime) -> Doubt | None:
    written = post.headers.get(scheme.time_header or "", "")
    if not written:
        return Doubt.UNSIGNED
    try:
        sent = scheme.read_time(written)
        age = now - sent
    except (ValueError, TypeError, OverflowError, OSError):
        return Doubt.MALFORMED
    if age > TOLERANCE:
        return Doubt.TOO_OLD
    return Doubt.IN_FUTURE if age < -TOLERANCE else None


def _unix(written: str) -> datetime:
    if not (written.isascii() and written.isdigit()):
        raise ValueError("not a number of seconds")
    return datetime.fromtimestamp(int(written), UTC)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def _digest(secret: str, message: bytes) -> bytes:
    return hmac.digest(secret.encode(), message, "sha256")


def _slack(secret: str, post: Post, given: str) -> bool:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    message = b"v0:" + _sent(post, "x-slack-request-timestamp") + b":" + post.body
    return _same(f"v0={_digest(secret, message).hex()}", given)


def _zendesk(secret: str, post: Post, given: str) -> bool:
    """https://developer.zendesk.com/documentation/webhooks/verifying/"""
    message = _sent(post, "x-zendesk-webhook-signature-timestamp") + post.body
    return _same(base64.b64encode(_digest(secret, message)).decode(), given)


def _pagerduty(secret: str, post: Post, given: str) -> bool:
    """https://developer.pagerduty.com/docs/verifying-webhook-signatures"""
    return _same(f"v1={_digest(secret, post.body).hex()}", given)


def _hub(secret: str, post: Post, given: str) -> bool:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries

    Jira signs in the same way, as WebSub does, under another header.
    """
    return _same(f"sha256={_digest(secret, post.body).hex()}", given)


def _standard(secret: str, post: Post, given: str) -> bool:
    """https://www.standardwebhooks.com"""
    sent = _unix(post.headers["webhook-timestamp"])
    try:
        body = post.body.decode()
    except UnicodeDecodeError:
        return False
    return _same(Webhook(secret).sign(post.headers.get("webhook-id", ""), sent, body), given)


def _coop(secret: str, post: Post, given: str) -> bool:
    """https://roostorg.github.io/coop: RSASSA-PKCS1-v1_5 with SHA-256, in base64."""
    key = _public_key(secret)
    try:
        signature = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return False
    if not isinstance(key, RSAPublicKey) or base64.b64encode(signature).decode() != given:
        return False
    try:
        key.verify(signature, post.body, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _key_alone(secret: str, _: Post, given: str) -> bool:
    """Coop's API is not signed: whoever has the key may report."""
    return _same(secret, given)


@lru_cache(maxsize=16)
def _public_key(pem: str) -> object:
    return load_pem_public_key(pem.strip().encode())


def _sent(post: Post, header: str) -> bytes:
    return post.headers[header].encode("utf-8", "surrogateescape")


def _by_time_and_body(header: str) -> Callable[[Post], bytes]:
    return lambda post: sha256(_sent(post, header) + b"\x00" + post.body).digest()


#: Slack, PagerDuty, GitHub, Jira and Coop name each event within the body, so the body names the
#: delivery, also where it is tried again at another time. Zendesk's body is whatever a trigger's
#: author wrote, and may be the same for two events; a Standard Webhook carries its id.
SCHEMES: Final[Mapping[Vendor, Scheme]] = {
    Vendor.SLACK: Scheme(
        "x-slack-signature",
        _slack,
        time_header="x-slack-request-timestamp",
        read_time=_unix,
    ),
    Vendor.ZENDESK: Scheme(
        "x-zendesk-webhook-signature",
        _zendesk,
        time_header="x-zendesk-webhook-signature-timestamp",
        named_by=_by_time_and_body("x-zendesk-webhook-signature-timestamp"),
    ),
    Vendor.STANDARD: Scheme(
        "webhook-signature",
        _standard,
        separator=" ",
        time_header="webhook-timestamp",
        read_time=_unix,
        named_by=lambda post: _sent(post, "webhook-id") if "webhook-id" in post.headers else b"",
    ),
    Vendor.PAGERDUTY: Scheme("x-pagerduty-signature", _pagerduty, separator=","),
    Vendor.GITHUB: Scheme("x-hub-signature-256", _hub),
    Vendor.JIRA: Scheme("x-hub-signature", _hub),
    Vendor.COOP: Scheme("coop-signature", _coop),
    Vendor.COOP_REPORTS: Scheme("x-api-key", _key_alone),
}
