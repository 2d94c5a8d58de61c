"""What Slack posts: buttons that people press, https://docs.slack.dev/interactivity."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from casework.inbox.buttons import ANSWER, RATIONALE, read_button
from casework.inbox.telling import Nothing, at, id_at, text_at
from casework.rows import parse_json

#: The reason that is kept where a message has no field to write one into.
NO_REASON: Final = "answered with a button in Slack"


@dataclass(frozen=True, slots=True)
class Click:
    """An answer that somebody gave with a button: whose account, at which gate, and what."""

    account: str
    team: str
    gate_id: str
    answer: dict[str, Any]  # the fields of ``casework.gates.Answer``, not yet validated
    response_url: str = ""  # where Slack takes an answer to the press


def read_slack(body: bytes) -> Click | Nothing:
    """Read an interaction; anything else that Slack posts is nothing to us.

    Raises:
        RowFault: the payload is not JSON that can be kept exactly.
        InputError: a button of ours carries something that is not ours, or nobody pressed it.
    """
    payload = _payload(body)
    if payload is None:
        return Nothing("not an interaction")
    if payload.get("type") != "block_actions":
        return Nothing("not a button")
    actions = payload.get("actions")
    for action in actions if isinstance(actions, list) else ():
        if text_at(action, "action_id").startswith(f"{ANSWER}."):
            return _click(payload, action)
    return Nothing("not a button of ours")


def _payload(body: bytes) -> dict[str, Any] | None:
    if body.lstrip().startswith(b"{"):
        return parse_json(body)
    fields = parse_qs(body.decode("utf-8", "replace"))
    return parse_json(fields["payload"][0].encode()) if "payload" in fields else None


def _click(payload: dict[str, Any], action: Any) -> Click:
    button = read_button(text_at(action, "value"))
    return Click(
        account=id_at(payload, "user", "id"),
        team=text_at(payload, "team", "id"),
        gate_id=button.gate,
        answer={
            "verdict": button.verdict,
            "action": button.action,
            "rationale": _rationale(payload) or NO_REASON,
            "evidence_digest": button.evidence,
        },
        response_url=text_at(payload, "response_url"),
    )


def _rationale(payload: dict[str, Any]) -> str:
    values = at(payload, "state", "values")
    for block in values.values() if isinstance(values, dict) else ():
        if written := text_at(block, RATIONALE, "value").strip():
            return written
    return ""
