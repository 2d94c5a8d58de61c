"""What a post asks for, where it tells of a case that is there."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from casework.inbox.posts import Vendor
from casework.inbox.slack import Click, read_slack
from casework.inbox.telling import News, Nothing, read_coop, read_jira, read_pagerduty

Meaning: TypeAlias = Click | News | Nothing

_READERS: Final[Mapping[Vendor, Callable[[bytes], Meaning]]] = {
    Vendor.SLACK: read_slack,
    Vendor.PAGERDUTY: read_pagerduty,
    Vendor.JIRA: read_jira,
    Vendor.COOP: read_coop,
}


def understand(vendor: Vendor, body: bytes) -> Meaning:
    """Read a post that is no report.

    Raises:
        RowFault: it is not JSON that can be kept exactly.
        InputError: it is not what the vendor sends.
    """
    return _READERS[vendor](body)


def why_ignored(vendor: Vendor, headers: Mapping[str, Any], matters: bool) -> str | None:
    """Why a report does not become a case; None where it does.

    GitHub posts all kinds of events to one address, and only issues are reports.
    """
    event = headers.get("x-github-event", "issues")
    if vendor is Vendor.GITHUB and event != "issues":
        return "not an issue"
    return None if matters else "not one of those the source names under `only`"
