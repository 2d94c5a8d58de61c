"""What a message in Slack says, and the blocks it is made of.

Ids, a queue, a severity and a link, never a word of the case. A status update of an incident says
what people have written to be told.
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

#: Characters of a section, of which a message has 50 at the most.
SECTION_LIMIT: Final = 3_000

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
    blocks = [section(text), *([_reason()] if decisions else [])]
    if buttons := [*decisions, *_link(delivery)]:
        blocks.append({"type": "actions", "block_id": _mark(delivery), "elements": buttons})
    return Message(channel, text, blocks)


def telling(delivery: Delivery, channel: str) -> Message:
    """The message that brings a status update of an incident, as people wrote it."""
    text = delivery.text.strip()
    pieces = [text[at : at + SECTION_LIMIT] for at in range(0, len(text), SECTION_LIMIT)]
    # Plain text: what looks like markup or like a call for everybody is shown as it stands.
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": each}} for each in pieces]
    return Message(channel, headline(delivery, f"has an update for {_audience(delivery)}"), blocks)


def _audience(delivery: Delivery) -> str:
    return str(delivery.effect.data.get("audience", "internal"))


def settled(delivery: Delivery, reference: str) -> Message:
    """What a message says when its matter has been taken or decided: the same, without buttons."""
    channel, _, ts = reference.partition(":")
    data = delivery.effect.data
    took = delivery.effect.kind is EffectKind.ACKNOWLEDGE
    done = " ".join(str(data[name]) for name in ("verdict", "action") if data.get(name))
    what = "has been taken" if took else f"has been decided: {done}" if done else "is over"
    text = headline(delivery, f"{what} by {data['by']}" if data.get("by") else what)
    link = _link(delivery)
    blocks = [section(text), *([{"type": "actions", "elements": link}] if link else [])]
    return Message(channel, text, blocks, ts)


def headline(delivery: Delivery, what: str) -> str:
    """One line of ids: severity, queue, case or incident, and what is the matter with it."""
    data, effect = delivery.effect.data, delivery.effect
    restricted = "a restricted case" if data.get("alias") else None
    subject = effect.case_id or restricted or data.get("incident") or effect.key
    return headline_of([data.get("severity"), data.get("queue"), subject], what)


def headline_of(about: Sequence[Any], what: str) -> str:
    """The same of what it is about: severity, queue and subject, as far as they are known."""
    line = " · ".join(_plain(str(part)) for part in about if part)
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


def section(text: str) -> dict[str, Any]:
    """A paragraph of markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_LIMIT]}}


def _mark(delivery: Delivery) -> str:
    """What the messages of one effect have in common, should there be two of them."""
    return f"casework.{sha256(delivery.effect.key.encode()).hexdigest()[:32]}"


def _plain(text: str) -> str:
    """A text without what Slack takes for markup."""
    return text.translate(_MARKUP)
