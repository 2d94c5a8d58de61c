"""Posts: what a source has sent, as it came and as it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final


class Vendor(StrEnum):
    """Whose rules a source follows: how it signs, and what its posts mean."""

    STANDARD = "standard"  # Standard Webhooks
    ZENDESK = "zendesk"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    GITHUB = "github"
    JIRA = "jira"
    COOP = "coop"  # signed callbacks about actions and appeals
    COOP_REPORTS = "coop_reports"  # reports, as Coop's own API takes them


#: Vendors whose posts become cases; the others tell of cases that are there.
REPORTING: Final = frozenset({Vendor.STANDARD, Vendor.ZENDESK, Vendor.GITHUB, Vendor.COOP_REPORTS})

#: Headers that are kept with the body, for they say what it is.
KEPT_HEADERS: Final = ("content-type", "x-github-event")


@dataclass(frozen=True, slots=True)
class Post:
    """A request as it was received; names of headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A genuine post on its way into the inbox.

    ``id`` is derived from the source and from what names the delivery, so that a delivery that is
    sent again, by its source or by a stranger who recorded it, is kept once.
    """

    id: str
    source: str
    vendor: Vendor
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


def kept(source: str, vendor: Vendor, delivery: bytes, post: Post, now: datetime) -> Kept:
    """What is kept of a post that has been found genuine."""
    named = sha256(source.encode() + b"\x00" + delivery).hexdigest()
    headers = {name: post.headers[name] for name in KEPT_HEADERS if name in post.headers}
    return Kept(f"m{named[:31]}", source, vendor, headers, post.body, now)
