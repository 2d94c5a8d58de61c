"""Slack: messages that say which case waits where, with buttons to answer at its gate.

A message carries ids, a queue and a severity, never a word of the case: Slack keeps messages, and
shows them on lock screens. What was decided replaces the buttons.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

from pydantic import BaseModel

from casework.effects import Delivery, EffectKind, Receipt
from casework.errors import (
    ProviderBadReply,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from casework.gates import Verdict
from integrations.delivering import checked, told, untaken
from integrations.http import HttpService
from integrations.slack_buttons import ACTION_PREFIX, Press, encode

#: Characters of a message's text, and of a button's.
TEXT_LIMIT: Final = 4_000
LABEL_LIMIT: Final = 75

#: Slack's own names of errors that are not simply a refusal of the request.
_ERRORS: Final[Mapping[str, type[ProviderError]]] = {
    "ratelimited": RateLimited,
    "rate_limited": RateLimited,
    "message_limit_exceeded": RateLimited,
    "request_timeout": ProviderTimeout,
    "fatal_error": ProviderUnavailable,
    "internal_error": ProviderUnavailable,
    "service_unavailable": ProviderUnavailable,
}
_HINTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"),
        "make a new bot token and set CASEWORK_SLACK_TOKEN",
    ),
    **dict.fromkeys(
        ("missing_scope", "no_permission"),
        "give the app the scope chat:write, and install it again",
    ),
    **dict.fromkeys(
        ("channel_not_found", "not_in_channel", "is_archived"),
        "check the destination's channel, and invite the app to it",
    ),
}

#: The message to update is gone, or can be changed no more; nobody can press its buttons.
_GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})

_MARKUP: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", **dict.fromkeys("*~`\n", " ")}
)
_CODE: Final = re.compile(r"[a-z0-9_]{1,60}")


class Said(BaseModel):
    """The part of a reply that is used."""

    ok: bool
    error: str | None = None
    channel: str | None = None
    ts: str | None = None


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


class Slack(Protocol):
    """The Web API. Every method may raise ``ProviderError``."""

    async def post(self, message: Message) -> str:
        """Post a message; return its reference."""

    async def update(self, message: Message) -> None:
        """Change a message; one that is gone is left alone."""

    async def close(self) -> None:
        """Let go of connections."""


class SlackClient:
    """The Web API over HTTP."""

    def __init__(self, *, service: HttpService) -> None:
        self._service = service

    async def post(self, message: Message) -> str:
        """``chat.postMessage``; not tried again unseen, for the message would come twice."""
        return posted(await self._call("chat.postMessage", message, once=True))

    async def update(self, message: Message) -> None:
        """``chat.update``, which may be repeated."""
        updated(await self._call("chat.update", message))

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def _call(self, method: str, message: Message, *, once: bool = False) -> Any:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        body = message.document()
        reply = await self._service.call("POST", method, json=body, headers=headers, once=once)
        return reply.document


class SlackTwin:
    """A workspace in memory, with the channels it is given or any, for development and tests."""

    def __init__(self, channels: Sequence[str] = ()) -> None:
        self.channels = frozenset(channels)
        self.messages: dict[str, dict[str, Any]] = {}

    async def post(self, message: Message) -> str:
        """Keep a message."""
        return posted(self.answer("chat.postMessage", message.document()))

    async def update(self, message: Message) -> None:
        """Change a message that is kept."""
        updated(self.answer("chat.update", message.document()))

    async def close(self) -> None:
        """There is nothing to close."""

    def answer(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request as the Web API does."""
        channel, text = body["channel"], body.get("text", "")
        if self.channels and channel not in self.channels:
            return {"ok": False, "error": "channel_not_found"}
        if len(text) > 40_000:
            return {"ok": False, "error": "msg_too_long"}
        ts = body.get("ts") or f"1767604320.{len(self.messages):06d}"
        if method == "chat.update" and f"{channel}:{ts}" not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        message = {"type": "message", "text": text, "ts": ts, "blocks": body.get("blocks", [])}
        self.messages[f"{channel}:{ts}"] = message
        shown = {"text": text} if method == "chat.update" else {}
        return {"ok": True, "channel": channel, "ts": ts, "message": message, **shown}


class SlackDestination:
    """A channel as something that effects are sent to.

    A notice or a page is posted, and its reference is ``channel:ts``; an acknowledgement or a
    resolution names that as ``reference`` and takes the buttons away.
    """

    def __init__(self, *, slack: Slack, channel: str, name: str = "slack") -> None:
        self.name, self._slack, self._channel = name, slack, channel

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Post or change a message."""
        kind = delivery.effect.kind
        if kind in (EffectKind.NOTIFY, EffectKind.PAGE):
            channel = str(delivery.effect.data.get("channel") or self._channel)
            return Receipt(await self._slack.post(asking(delivery, channel)))
        if kind in (EffectKind.ACKNOWLEDGE, EffectKind.RESOLVE):
            reference = told(self.name, delivery, "reference")
            await self._slack.update(settled(delivery, reference))
            return Receipt(reference)
        raise untaken(self.name, delivery)

    async def close(self) -> None:
        """Close the connections."""
        await self._slack.close()


def asking(delivery: Delivery, channel: str) -> Message:
    """The message that something waits, with buttons where the effect names gate and evidence."""
    text = headline(delivery, "waits for a person")
    buttons = [*_decisions(delivery), *_link(delivery)]
    actions = {"type": "actions", "block_id": _mark(delivery), "elements": buttons}
    return Message(channel, text, [_section(text), *([actions] if buttons else [])])


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


def posted(document: Any) -> str:
    """The reference of a message that was posted.

    Raises:
        ProviderError: it was not, and why.
    """
    said = checked("slack", Said, document)
    if not said.ok:
        raise refusal(said.error)
    if not said.channel or not said.ts:
        raise ProviderBadReply("slack answered outside its contract at channel, ts")
    return f"{said.channel}:{said.ts}"


def updated(document: Any) -> None:
    """Whether a message was changed, or needs to be no more.

    Raises:
        ProviderError: it was not, and why.
    """
    said = checked("slack", Said, document)
    if not said.ok and said.error not in _GONE:
        raise refusal(said.error)


def refusal(code: str | None) -> ProviderError:
    """Our error for one of Slack's, which it answers with HTTP 200."""
    known = code if code and _CODE.fullmatch(code) else "an error without a name"
    kind = _ERRORS.get(known, ProviderRefused)
    return kind(f"slack answered {known}", hint=_HINTS.get(known, ""))


def _decisions(delivery: Delivery) -> list[dict[str, Any]]:
    """Buttons to approve the action that the effect names, and to refuse."""
    data = delivery.effect.data
    gate, evidence, action = data.get("gate"), data.get("evidence"), data.get("action")
    if not gate or not evidence:
        return []
    refuse = Press(gate=gate, verdict=Verdict.REFUSE, action=None, evidence=evidence)
    buttons = [_button("Refuse", refuse, "danger")]
    if action:
        approve = Press(gate=gate, verdict=Verdict.APPROVE, action=action, evidence=evidence)
        buttons.insert(0, _button(f"Approve {action}", approve, "primary"))
    return buttons


def _button(label: str, press: Press, style: str) -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{press.verdict}",
        "text": {"type": "plain_text", "text": label[:LABEL_LIMIT]},
        "style": style,
        "value": encode(press),
    }


def _link(delivery: Delivery) -> list[dict[str, Any]]:
    if not delivery.link:
        return []
    text = {"type": "plain_text", "text": "Open in Casework"}
    return [{"type": "button", "action_id": "open", "text": text, "url": delivery.link}]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}}


def _mark(delivery: Delivery) -> str:
    """What the messages of one effect have in common, should there be two of them."""
    return f"{ACTION_PREFIX}{sha256(delivery.effect.key.encode()).hexdigest()[:32]}"


def _plain(text: str) -> str:
    """A text without what Slack takes for markup."""
    return text.translate(_MARKUP)
