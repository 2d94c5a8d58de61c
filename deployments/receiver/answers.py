"""What a source is answered: the status it understands, and nothing of what it sent."""

from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

import orjson
from fastapi import Response

from casework.errors import CaseworkError
from casework.inbox.posts import Kept, Vendor

#: Seconds after which a source whose post could not be kept may try again.
RETRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it is written as a response."""

    status: int
    document: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The same as a response."""
        if self.document is None:
            return Response(status_code=self.status, headers=self.headers)
        body = orjson.dumps(self.document)
        return Response(body, self.status, self.headers, media_type="application/json")


def taken(post: Kept) -> Answer:
    """Say that a post is kept, as its vendor expects to hear it.

    Slack shows its users an error unless the body is empty, and asks to have a new address proved;
    Coop's clients want the id of their report.
    """
    if post.vendor is Vendor.SLACK:
        challenge = _challenge(post.body)
        return Answer(200, {"challenge": challenge} if challenge else None)
    if post.vendor is Vendor.COOP_REPORTS:
        return Answer(201, {"reportId": post.id})
    return Answer(200, {"id": post.id})


def refused(vendor: Vendor | None, status: int, code: str, message: str, hint: str = "") -> Answer:
    """Say why a post was not taken, in the one shape of our errors or in Coop's."""
    if vendor is Vendor.COOP_REPORTS:
        fault = {"status": status, "type": [f"/errors/{code.replace('_', '-')}"], "title": message}
        return Answer(status, {"errors": [fault]})
    return Answer(status, {"error": {"code": code, "message": message, "hint": hint}})


def too_fast(vendor: Vendor, wait: float) -> Answer:
    """Say when the source may post again."""
    answer = refused(vendor, 429, "rate_limited", "this source posts too fast")
    return Answer(429, answer.document, {"retry-after": str(max(1, ceil(wait)))})


def not_kept(vendor: Vendor, error: CaseworkError) -> Answer:
    """Say that the post is not kept, and is to be sent again."""
    answer = refused(vendor, error.status, error.code, error.message, error.hint)
    return Answer(error.status, answer.document, {"retry-after": str(RETRY_SECONDS)})


def _challenge(body: bytes) -> str | None:
    """What Slack wants to have back when an address is entered in its settings."""
    if b'"url_verification"' not in body:
        return None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict) or document.get("type") != "url_verification":
        return None
    return str(document.get("challenge", ""))
