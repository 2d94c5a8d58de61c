"""Slack: messages that say which case waits where, with buttons to answer at its gate.

A message carries ids, a queue and a severity, never a word of the case: Slack keeps messages, and
shows them on lock screens. What was decided replaces the buttons.
"""

import re
from collections.abc import Mapping, Sequence
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
from integrations.delivering import checked, untaken
from integrations.http import HttpService
from integrations.slack_messages import Message, asking, settled, telling

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

#: The token is good for nothing, or not for this: what waits is sent once it has been mended.
_TOKEN: Final = ("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired")
_SCOPE: Final = ("missing_scope", "no_permission")

_HINTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_TOKEN, "make a new bot token and set CASEWORK_SLACK_TOKEN"),
    **dict.fromkeys(_SCOPE, "give the app the scope chat:write, and install it again"),
    **dict.fromkeys(
        ("channel_not_found", "not_in_channel", "is_archived"),
        "check the destination's channel, and invite the app to it",
    ),
}

#: The message to update is gone, or can be changed no more; nobody can press its buttons.
_GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})

_CODE: Final = re.compile(r"[a-z0-9_]{1,60}")


class Said(BaseModel):
    """The part of a reply that is used."""

    ok: bool
    error: str | None = None
    channel: str | None = None
    ts: str | None = None


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

    A notice or a page is posted, and its reference is ``channel:ts``. An acknowledgement or a
    resolution changes the message it names as ``reference``, or else all that were posted before
    about its gate, and takes their buttons away.
    """

    def __init__(self, *, slack: Slack, channel: str, name: str = "slack") -> None:
        self.name, self._slack, self._channel = name, slack, channel

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Post a message, or change those there are; where there is none nobody has to be told."""
        kind = delivery.effect.kind
        if kind in (EffectKind.NOTIFY, EffectKind.PAGE):
            channel = str(delivery.effect.data.get("channel") or self._channel)
            make = telling if "update" in delivery.effect.data else asking
            return Receipt(await self._slack.post(make(delivery, channel)))
        if kind not in (EffectKind.ACKNOWLEDGE, EffectKind.RESOLVE):
            raise untaken(self.name, delivery)
        named = delivery.effect.data.get("reference")
        references = [str(named)] if named else delivery.earlier
        for reference in references:
            await self._slack.update(settled(delivery, reference))
        return Receipt(references[-1] if references else None)

    async def close(self) -> None:
        """Close the connections."""
        await self._slack.close()


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
    unauthorised = known in (*_TOKEN, *_SCOPE)
    return kind(f"slack answered {known}", unauthorised=unauthorised, hint=_HINTS.get(known, ""))
