"""Posts as vendors send them, signed as they sign them, and the file that lets them in."""

import base64
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casework.inbox.posts import Post, Vendor

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

#: What a Standard Webhooks secret looks like; the others take any text.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_COOP: list[RSAPrivateKey] = []


def coop_key() -> RSAPrivateKey:
    """Coop's private key, made once."""
    if not _COOP:
        _COOP.append(generate_private_key(public_exponent=65537, key_size=2048))
    return _COOP[0]


def secret_of(vendor: Vendor) -> str:
    """What we are given to check this vendor's posts with."""
    if vendor is Vendor.COOP:
        public = coop_key().public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return SECRET


def signed(
    vendor: Vendor,
    body: bytes,
    *,
    secret: str | None = None,
    at: datetime = NOW,
    delivery: str = "msg_1",
) -> Post:
    """A post as the vendor would send it; each formula is from the vendor's own page."""
    key = (secret or SECRET).encode()
    seconds = str(int(at.timestamp())).encode()

    def mac(message: bytes, with_key: bytes = key) -> bytes:
        return hmac.new(with_key, message, "sha256").digest()

    match vendor:
        case Vendor.SLACK:
            headers = {
                "x-slack-request-timestamp": seconds.decode(),
                "x-slack-signature": "v0=" + mac(b"v0:%b:%b" % (seconds, body)).hex(),
            }
        case Vendor.ZENDESK:
            time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            headers = {
                "x-zendesk-webhook-signature-timestamp": time,
                "x-zendesk-webhook-signature": _base64(mac(time.encode() + body)),
            }
        case Vendor.STANDARD:
            decoded = base64.b64decode(key.removeprefix(b"whsec_"))
            message = b"%b.%b.%b" % (delivery.encode(), seconds, body)
            headers = {
                "webhook-id": delivery,
                "webhook-timestamp": seconds.decode(),
                "webhook-signature": "v1," + _base64(mac(message, decoded)),
            }
        case Vendor.PAGERDUTY:
            headers = {"x-pagerduty-signature": "v1=" + mac(body).hex()}
        case Vendor.GITHUB:
            headers = {"x-hub-signature-256": "sha256=" + mac(body).hex()}
        case Vendor.JIRA:
            headers = {"x-hub-signature": "sha256=" + mac(body).hex()}
        case Vendor.COOP:
            headers = {"coop-signature": _base64(coop_key().sign(body, PKCS1v15(), SHA256()))}
        case Vendor.COOP_REPORTS:
            headers = {"x-api-key": secret or SECRET}
    return Post({"content-type": "application/json", **headers}, body)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def inbox_file(folder: Path, **sources: dict[str, Any]) -> Path:
    """A file that declares these sources; their secrets are where each says."""
    path = folder / "inbox.yaml"
    path.write_text(yaml.safe_dump({"sources": sources}))
    return path


def source(vendor: Vendor, folder: Path, **more: Any) -> dict[str, Any]:
    """What the file says of a source whose secret is in a file beside it."""
    (folder / f"{vendor}.secret").write_text(secret_of(vendor))
    return {"vendor": str(vendor), "secrets": [{"file": f"{vendor}.secret"}], **more}


def body(**fields: Any) -> bytes:
    """A body of JSON."""
    return orjson.dumps(fields)
