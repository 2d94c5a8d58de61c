"""A store with messages in its inbox, and a reader of it."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import Engine

from casework.gates import Verdict
from casework.inbox.buttons import RATIONALE, Button
from casework.inbox.load import load_sources
from casework.inbox.posts import Post, Vendor, kept
from casework.store.engine import reading, transaction
from casework.store.inbox import list_messages, receive
from casework.store.tables import InboxMessage
from tasks.inbox import Reader
from tests.factories.gates import BY, evidence_of
from tests.factories.posts import NOW, inbox_file, source

MAPPING = """
fields:
  external_id: {from: id, required: true}
  body: text
"""


def reader(engine: Engine, folder: Path, **more: dict[str, Any]) -> Reader:
    """A reader of sources that are called as their vendors are; ``more`` adds to an entry."""
    (folder / "mapping.yaml").write_text(MAPPING)
    mapped = {Vendor.ZENDESK, Vendor.GITHUB, Vendor.COOP_REPORTS}
    entries = {}
    for vendor in Vendor:
        entry = {"mapping": "mapping.yaml"} if vendor in mapped else {}
        entries[vendor.value] = source(vendor, folder, **{**entry, **more.get(vendor.value, {})})
    return Reader(engine, load_sources(inbox_file(folder, **entries)), BY, lambda: NOW)


def arrive(
    engine: Engine,
    vendor: Vendor,
    body: bytes | Mapping[str, Any],
    *,
    delivery: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    at: datetime = NOW,
) -> str:
    """Put a post into the inbox as the receiver does; return the message's id."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    post = Post({"content-type": "application/json", **(headers or {})}, raw)
    message = kept(vendor.value, vendor, delivery or raw, post, at)
    with transaction(engine) as session:
        receive(session, [message])
    return message.id


def messages(engine: Engine) -> list[InboxMessage]:
    """Every message, in the order in which they came."""
    with reading(engine) as session:
        return list_messages(session, limit=1000)[::-1]


def outcomes(engine: Engine) -> list[tuple[str, str | None]]:
    """Status and outcome of every message, in order."""
    return [(message.status, message.outcome) for message in messages(engine)]


def click(
    gate: str,
    account: str,
    *,
    external_id: str = "T-1",
    verdict: str = "approve",
    action: str | None = "no_action",
    evidence: str | None = None,
    rationale: str = "",
    team: str = "T111",
) -> bytes:
    """What Slack posts when somebody presses a button of ours."""
    button = Button(gate, Verdict(verdict), action, evidence or evidence_of(external_id))
    pressed = {"action_id": button.action_id, "value": button.value()}
    return press(pressed, account, rationale=rationale, team=team)


def press(
    button: Mapping[str, Any],
    account: str,
    *,
    rationale: str = "",
    team: str = "T111",
    response_url: str = "",
) -> bytes:
    """What Slack posts when somebody presses a button, as it stands in a message.

    Slack itself always says where it takes an answer; without that a test asks nobody outside.
    """
    payload = {
        "type": "block_actions",
        "user": {"id": account, "username": account.lower(), "team_id": team},
        "team": {"id": team, "domain": "acme"},
        "trigger_id": f"{account}.{button['value']}",
        "response_url": response_url,
        "state": {"values": {"why": {RATIONALE: {"type": "plain_text_input", "value": rationale}}}},
        "actions": [{"type": "button", **button}],
    }
    return b"payload=" + quote(orjson.dumps(payload)).encode()
