"""PagerDuty: paging whoever is on call, over its Events API v2.

``POST {base}/enqueue`` with ``event_action`` trigger, acknowledge or resolve. What belongs together
has one ``dedup_key``, made of the case, or of the incident where there is no case; PagerDuty folds
repeated triggers of one key into one alert, so an event may be sent twice. The twin keeps alerts
the same way; it is used only where the URL is ``twin:``.

https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from casework.effects import MARK, Delivery, Effect, EffectKind, Receipt
from casework.errors import ConfigurationError, ProviderBadReply, ProviderRefused
from casework.ledger.entries import timestamp
from integrations.http import HttpService

#: What PagerDuty calls what we want of it.
ACTIONS: Final[Mapping[EffectKind, str]] = {
    EffectKind.PAGE: "trigger",
    EffectKind.ACKNOWLEDGE: "acknowledge",
    EffectKind.RESOLVE: "resolve",
}

#: Our severities in PagerDuty's words; what has none is a warning.
SEVERITIES: Final[Mapping[str, str]] = {
    "P0": "critical",
    "P1": "error",
    "P2": "warning",
    "P3": "info",
    "P4": "info",
}

#: Letters of a summary that PagerDuty keeps.
_SUMMARY: Final = 1024

#: What of an effect's data is shown to whoever is paged, where it is there.
_DETAILS: Final = ("queue", "severity", "incident", "gate", "clock", "step", "action")


#: What a key looks like, and where it is set.
_KEY_HINT: Final = (
    "set CASEWORK_PAGERDUTY_ROUTING_KEY to the Integration Key, 32 characters, of an Events API v2 "
    "integration; pages that wait are sent then"
)

#: What PagerDuty calls the key where it finds fault with it.
_KEY_NAMES: Final = ("routing_key", "routing key", "integration key", "invalid key")

#: Parts of an event that PagerDuty may find fault with.
_PARTS: Final = (
    *("event_action", "dedup_key", "summary", "source", "severity", "timestamp", "component"),
    *("group", "class", "custom_details", "client_url", "links", "images"),
)


class Accepted(BaseModel):
    """PagerDuty's answer to an event it took."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["success"]
    dedup_key: str | None = None


class PagerDutyDestination:
    """PagerDuty over HTTP."""

    def __init__(
        self,
        *,
        name: str,
        routing_key: SecretStr,
        service: HttpService,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare to send events to the integration with this key.

        Raises:
            ConfigurationError: the key is empty.
        """
        if not routing_key.get_secret_value():
            raise ConfigurationError(
                "CASEWORK_PAGERDUTY_ROUTING_KEY is empty",
                hint="it is the Integration Key of an Events API v2 integration",
            )
        self.name = name
        self._key, self._service, self._options = routing_key, service, options or {}

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Send an event, or one for each alert that it is about."""
        key = ""
        for sent in events(delivery, self._options):
            body = {"routing_key": self._key.get_secret_value(), **sent}
            reply = await self._service.call(
                "POST", "enqueue", json=body, accept=(202,), explain=(400,)
            )
            if reply.status == httpx.codes.BAD_REQUEST:
                raise refusal(self.name, reply.document)
            key = checked(reply.document).dedup_key or sent["dedup_key"]
        return Receipt(key)

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class PagerDutyTwin:
    """A stand-in that keeps alerts by their key: triggered, acknowledged or resolved."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        self.alerts: dict[str, str] = {}

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Take an event, or one for each alert that it is about."""
        key = ""
        for sent in events(delivery, {}):
            take(self.alerts, sent)
            key = sent["dedup_key"]
        return Receipt(key)

    async def close(self) -> None:
        """There is nothing to close."""


def events(delivery: Delivery, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An effect as events: one, or one for each key under which it was paged about before.

    There are two where a case was restricted, or no more so, between two pages about it.
    """
    sent = event(delivery, options)
    return [{**sent, "dedup_key": key} for key in dict.fromkeys(delivery.earlier)] or [sent]


def event(delivery: Delivery, options: Mapping[str, Any]) -> dict[str, Any]:
    """An effect as an event, without the key of the integration.

    Raises:
        ProviderRefused: it is of a kind that PagerDuty has no event for.
    """
    effect = delivery.effect
    action = ACTIONS.get(effect.kind)
    if action is None:
        raise ProviderRefused(
            f"PagerDuty has no event for {effect.kind}",
            hint=f"let it take one of: {', '.join(ACTIONS)}",
        )
    sent: dict[str, Any] = {"event_action": action, "dedup_key": dedup_key(effect)}
    if effect.kind is EffectKind.PAGE:
        sent["payload"] = _payload(delivery, options)
        sent["client"] = "Casework"
        if delivery.link:
            sent["client_url"] = delivery.link
            opens = "Open the case" if effect.case_id else "Open the queue"
            sent["links"] = [{"href": delivery.link, "text": opens}]
    return sent


def dedup_key(effect: Effect) -> str:
    """The key under which PagerDuty keeps what belongs together."""
    names = (effect.data.get(name) for name in ("alias", "incident"))
    about = effect.case_id or next(filter(None, names), effect.key)
    return f"{MARK}{about}"


def take(alerts: dict[str, str], sent: Mapping[str, Any]) -> None:
    """Do to the alerts what PagerDuty does with an event."""
    key, action = str(sent["dedup_key"]), sent["event_action"]
    if action == "trigger":
        # A trigger of an alert that is not resolved is folded into it.
        if alerts.get(key) not in ("triggered", "acknowledged"):
            alerts[key] = "triggered"
    elif key in alerts and alerts[key] != "resolved":
        alerts[key] = f"{action}d"


def refusal(name: str, said: str) -> ProviderRefused:
    """Our error for an answer of 400: the key is not known, or the event is not valid.

    PagerDuty says which in words, as JSON or not. They are searched for the names of parts, and not
    quoted: they may quote ours.
    """
    words = said.casefold()
    if any(each in words for each in _KEY_NAMES):
        what = f"{name} answered 400: PagerDuty does not know the integration key"
        return ProviderRefused(what, answered=400, unauthorised=True, hint=_KEY_HINT)
    parts = [part for part in _PARTS if part in words]
    what = f"finds the event not valid{' at ' if parts else ''}{', '.join(parts)}"
    hint = "if it is the key: set CASEWORK_PAGERDUTY_ROUTING_KEY, then: casework effects retry"
    return ProviderRefused(
        f"{name} answered 400: PagerDuty {what}", answered=400, hint="" if parts else hint
    )


def checked(document: Any) -> Accepted:
    """Hold a reply to the contract.

    Raises:
        ProviderBadReply: it has another shape, or does not say success.
    """
    try:
        return Accepted.model_validate(document)
    except ValidationError as error:
        where = {".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)}
    raise ProviderBadReply(f"pagerduty answered outside its contract at {', '.join(sorted(where))}")


def _payload(delivery: Delivery, options: Mapping[str, Any]) -> dict[str, Any]:
    effect = delivery.effect
    about = f"Case {effect.case_id}" if effect.case_id else "Casework"
    severity = str(effect.data.get("severity"))
    details = {name: effect.data[name] for name in _DETAILS if effect.data.get(name) is not None}
    payload = {
        "summary": (delivery.text.strip() or f"{about} needs somebody now")[:_SUMMARY],
        "severity": SEVERITIES.get(severity, "warning"),
        "source": "casework",
        "custom_details": {"effect": effect.key, **details},
        **{name: str(options[name]) for name in ("component", "group") if name in options},
    }
    if delivery.queued_at is not None:
        payload["timestamp"] = timestamp(delivery.queued_at)
    return payload
