"""What pagers, trackers and review tools tell of a case that is ours."""

from dataclasses import dataclass
from typing import Any, Final

from casework.errors import InputError
from casework.rows import parse_json

#: A label of this form on an issue names our case.
LABEL: Final = "casework:"

#: Characters of a status that are kept: it is a word of somebody's workflow.
_STATUS: Final = 64


@dataclass(frozen=True, slots=True)
class News:
    """How something of theirs stands that is about a case of ours."""

    event: str
    status: str
    reference: str  # what they call it
    about: tuple[str, ...]  # ids of ours that it may name: of a case or of a gate
    account: str = ""  # who did it, in their system


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing for us, and why."""

    reason: str


def read_pagerduty(body: bytes) -> News | Nothing:
    """Read a V3 webhook. The incident's key is the one that our page was sent under.

    https://developer.pagerduty.com/docs/webhooks-overview

    Raises:
        RowFault: it is not JSON that can be kept exactly.
        InputError: it is not a V3 webhook.
    """
    event = at(parse_json(body), "event")
    kind = text_at(event, "event_type")
    if not kind:
        raise InputError("not a V3 webhook of PagerDuty: it has no event_type")
    if not kind.startswith("incident.") or text_at(event, "data", "type") != "incident":
        return Nothing("not about an incident")
    key = text_at(event, "data", "incident_key")
    return News(
        event=kind,
        status=text_at(event, "data", "status")[:_STATUS],
        reference=_needed(event, "data", "id"),
        about=(key,) if key else (),
        account=text_at(event, "agent", "id"),
    )


def read_jira(body: bytes) -> News | Nothing:
    """Read an issue's webhook: its status when it is made, and each time that changes.

    https://developer.atlassian.com/cloud/jira/platform/webhooks

    Raises:
        RowFault: it is not JSON that can be kept exactly.
        InputError: it is not a webhook of Jira.
    """
    document = parse_json(body)
    event = text_at(document, "webhookEvent")
    if not event:
        raise InputError("not a webhook of Jira: it has no webhookEvent")
    if event not in ("jira:issue_created", "jira:issue_updated"):
        return Nothing("not about an issue's status")
    if event == "jira:issue_updated" and not _changes_status(document):
        return Nothing("the status did not change")
    labels = at(document, "issue", "fields", "labels")
    about = [
        label.removeprefix(LABEL)
        for label in (labels if isinstance(labels, list) else [])
        if isinstance(label, str) and label.startswith(LABEL)
    ]
    return News(
        event=event,
        status=text_at(document, "issue", "fields", "status", "name")[:_STATUS],
        reference=_needed(document, "issue", "key"),
        about=tuple(about),
        account=text_at(document, "user", "accountId"),
    )


def read_coop(body: bytes) -> News | Nothing:
    """Read a callback: an action that Coop has taken on an item, or its decision on an appeal.

    https://roostorg.github.io/coop: docs/api/actions.md

    Raises:
        RowFault: it is not JSON that can be kept exactly.
        InputError: it is no callback of Coop.
    """
    document = parse_json(body)
    item = _needed(document, "item", "id")
    about = tuple(
        name
        for name in (text_at(document, "custom", "case"), text_at(document, "appealId"), item)
        if name
    )
    if decision := text_at(document, "appealDecision"):
        return News("appeal", decision[:_STATUS], _needed(document, "appealId"), about)
    return News("action", _needed(document, "action", "id")[:_STATUS], item, about)


def at(document: Any, *path: str) -> Any:
    """What stands at a path into objects; None where there is none."""
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def text_at(document: Any, *path: str) -> str:
    """The text at a path; empty where there is none."""
    value = at(document, *path)
    return value if isinstance(value, str) else ""


def _needed(document: Any, *path: str) -> str:
    if value := text_at(document, *path):
        return value
    raise InputError(f"it has no {'.'.join(path)}")


def _changes_status(document: dict[str, Any]) -> bool:
    items = at(document, "changelog", "items")
    return any(
        text_at(item, "field") == "status" for item in (items if isinstance(items, list) else [])
    )
