"""What a message in Slack says, and the blocks it is made of.

Ids, a queue, a severity and a link, never a word of the case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from casework.effects import Delivery, EffectKind
from casework.gates import Verdict
from casework.inbox.buttons import RATIONALE, Button

#: Characters of a message's text, and of a button's.
TEXT_LIMIT: Final = 4_000
LABEL_LIMIT: Final = 75

_MARKUP: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", **dict.fromkeys("*~`\n", " ")}
)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is posted, and as it is changed later."""

    channel: str
    text: str
    blocks: Sequence[Mapping[str, Any]]
    ts: str | None = None  # which message to change

    def document(self) -> dict[str, Any]:
        """The body of the request."""
        body = {"channel": self.channel, "text": self.text, "blocks": list(self.blocks)}
        return body if self.ts is None else {**body, "ts": self.ts}


def asking(delivery: Delivery, channel: str) -> Message:
    """The message that something waits, with buttons where the effect names gate and evidence."""
    text = headline(delivery, "waits for a person")
    decisions = _decisions(delivery)
    blocks = [_section(text), *([_reason()] if decisions else [])]
    if buttons := [*decisions, *_link(delivery)]:
        blocks.append({"type": "actions", "block_id": _mark(delivery), "elements": buttons})
    return Message(channel, text, blocks)


def settled(delivery: Delivery, reference: str) -> Message:
    """What a message says when its matter has been taken or decided: the same, without buttons."""
    channel, _, ts = reference.partition(":")
    data = delivery.effect.data
    took = delivery.effect.kind is EffectKind.ACKNOWLEDGE
    done = " ".join(str(data[name]) for name in ("verdict", "action") if data.get(name))
    what = "has been taken" if took else f"has been decided: {done}" if done else "is over"
    text = headline(delivery, f"{what} by {data['by']}" if data.get("by") else what)
    link = _link(delivery)
    blocks = [_section(text), *([{"type": "actions", "elements": link}] if link else [])]
    return Message(channel, text, blocks, ts)


def headline(delivery: Delivery, what: str) -> str:
    """One line of ids: severity, queue, case or incident, and what is the matter with it."""
    data, effect = delivery.effect.data, delivery.effect
    subject = effect.case_id or data.get("incident") or effect.key
    parts = [data.get("severity"), data.get("queue"), subject]
    line = " · ".join(_plain(str(part)) for part in parts if part)
    return f"{line} {_plain(what)}"[:TEXT_LIMIT]


def _decisions(delivery: Delivery) -> list[dict[str, Any]]:
    """Buttons to approve the action that the effect names, and to refuse."""
    data = delivery.effect.data
    gate, evidence, action = data.get("gate"), data.get("evidence"), data.get("action")
    if not gate or not evidence:
        return []
    refuse = Button(gate, Verdict.REFUSE, None, evidence)
    buttons = [_button("Refuse", refuse, "danger")]
    if action:
        approve = Button(gate, Verdict.APPROVE, action, evidence)
        buttons.insert(0, _button(f"Approve {action}", approve, "primary"))
    return buttons


def _button(label: str, answer: Button, style: str) -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": answer.action_id,
        "text": {"type": "plain_text", "text": label[:LABEL_LIMIT]},
        "style": style,
        "value": answer.value(),
    }


def _link(delivery: Delivery) -> list[dict[str, Any]]:
    if not delivery.link:
        return []
    text = {"type": "plain_text", "text": "Open in Casework"}
    return [{"type": "button", "action_id": "open", "text": text, "url": delivery.link}]


def _reason() -> dict[str, Any]:
    """A field to write the reason into, which a press of a button brings along."""
    field = {"type": "plain_text_input", "action_id": RATIONALE, "multiline": True}
    label = {"type": "plain_text", "text": "Why, in a sentence. Ids only, no content."}
    return {"type": "input", "optional": True, "label": label, "element": field}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}}


def _mark(delivery: Delivery) -> str:
    """What the messages of one effect have in common, should there be two of them."""
    return f"casework.{sha256(delivery.effect.key.encode()).hexdigest()[:32]}"


def _plain(text: str) -> str:
    """A text without what Slack takes for markup."""
    return text.translate(_MARKUP)
