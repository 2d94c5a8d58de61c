"""What pagers, trackers and review tools tell of a case that is ours."""

from dataclasses import dataclass
from typing import Any, Final

from casework.effects import MARK
from casework.errors import InputError
from casework.rows import parse_json

#: Characters that are kept of a word: a status of somebody's workflow, the kind of an event.
_WORD: Final = 64

#: Characters that an id may have; what is longer is none.
_ID: Final = 200


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
        event=kind[:_WORD],
        status=text_at(event, "data", "status")[:_WORD],
        reference=id_at(event, "data", "id"),
        about=(key.removeprefix(MARK),) if key else (),
        account=text_at(event, "agent", "id")[:_ID],
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
        label.removeprefix(MARK)
        for label in (labels if isinstance(labels, list) else [])
        if isinstance(label, str) and label.startswith(MARK)
    ]
    return News(
        event=event,
        status=text_at(document, "issue", "fields", "status", "name")[:_WORD],
        reference=id_at(document, "issue", "key"),
        about=tuple(about),
        account=text_at(document, "user", "accountId")[:_ID],
    )


def read_coop(body: bytes) -> News | Nothing:
    """Read a callback: an action that Coop has taken on an item, or its decision on an appeal.

    https://roostorg.github.io/coop: docs/api/actions.md

    Raises:
        RowFault: it is not JSON that can be kept exactly.
        InputError: it is no callback of Coop.
    """
    document = parse_json(body)
    item = id_at(document, "item", "id")
    about = tuple(
        name
        for name in (text_at(document, "custom", "case"), text_at(document, "appealId"), item)
        if name
    )
    if decision := text_at(document, "appealDecision"):
        return News("appeal", decision[:_WORD], id_at(document, "appealId"), about)
    return News("action", id_at(document, "action", "id")[:_WORD], item, about)


def at(document: Any, *path: str) -> Any:
    """What stands at a path into objects; None where there is none."""
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def text_at(document: Any, *path: str) -> str:
    """The text at a path; empty where there is none."""
    value = at(document, *path)
    return value if isinstance(value, str) else ""


def id_at(document: Any, *path: str) -> str:
    """The id at a path.

    Raises:
        InputError: there is none, or what stands there is too long to be one.
    """
    if 0 < len(value := text_at(document, *path)) <= _ID:
        return value
    raise InputError(f"it has no {'.'.join(path)}, or one that is too long for an id")


def _changes_status(document: dict[str, Any]) -> bool:
    items = at(document, "changelog", "items")
    return any(
        text_at(item, "field") == "status" for item in (items if isinstance(items, list) else [])
    )
