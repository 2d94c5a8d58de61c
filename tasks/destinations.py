"""Putting the destinations together: what the policy bundle names and the settings can reach."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from pydantic import SecretStr

from casework.policy.model import DestinationSpec
from casework.ports import Destination
from casework.settings import Settings
from integrations.http import HttpService, no_limit
from integrations.pagerduty import PagerDutyDestination, PagerDutyTwin
from integrations.record import RecordDestination
from integrations.webhook import WebhookDestination, WebhookTwin
from tasks.limits import hold_rate, rate_limited
from tasks.providers import TWIN

#: Makes a destination; None where its system is not set up.
Maker: TypeAlias = Callable[[Settings, DestinationSpec], Destination | None]


def destination_of(settings: Settings, spec: DestinationSpec) -> Destination | None:
    """A destination of the bundle; None where the settings do not say how to reach it.

    Raises:
        ConfigurationError: its URL or its secret cannot be used.
    """
    maker = MAKERS.get(spec.type)
    return None if maker is None else maker(settings, spec)


async def hold_to_rate(spec: DestinationSpec) -> None:
    """Have Prefect hold a destination to its rate, where it has one."""
    if spec.per_minute is not None:
        await hold_rate(limited_as(spec), spec.per_minute)


def limited_as(spec: DestinationSpec) -> str:
    """The name under which a destination's rate is held."""
    return f"to-{spec.id}"


def outgoing(settings: Settings, spec: DestinationSpec, url: str, token: SecretStr) -> HttpService:
    """A service that is asked once: what fails is tried again by the outbox, where it shows."""
    limited = spec.per_minute is not None
    return HttpService(
        name=spec.id,
        base_url=url,
        token=token,
        timeout=settings.provider_timeout,
        attempts=1,
        concurrency=spec.at_once,
        limiter=rate_limited(limited_as(spec)) if limited else no_limit,
    )


def _record(settings: Settings, spec: DestinationSpec) -> Destination:
    return RecordDestination(name=spec.id)


def _webhook(settings: Settings, spec: DestinationSpec) -> Destination | None:
    url = settings.webhook_url
    if not url:
        return None
    if url == TWIN:
        return WebhookTwin(name=spec.id)
    service = outgoing(settings, spec, url, SecretStr(""))
    return WebhookDestination(
        name=spec.id, url=url, secret=settings.webhook_secret, service=service
    )


def _pagerduty(settings: Settings, spec: DestinationSpec) -> Destination | None:
    url, key = settings.pagerduty_url, settings.pagerduty_routing_key
    if not url:
        return None
    if url == TWIN:
        return PagerDutyTwin(name=spec.id)
    service = outgoing(settings, spec, url, SecretStr(""))
    return PagerDutyDestination(
        name=spec.id, routing_key=key, service=service, options=spec.options
    )


MAKERS: Final[Mapping[str, Maker]] = {
    "log": _record,
    "webhook": _webhook,
    "pagerduty": _pagerduty,
}
