"""Putting the destinations together: what the policy bundle names and the settings can reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from casework.policy.model import DestinationSpec
from casework.ports import Destination
from casework.settings import Settings
from integrations.coop import CoopClient, CoopDestination, CoopTwin, signing_key
from integrations.credentials import Scheme, basic, bearer, in_header
from integrations.http import HttpService, no_limit
from integrations.jira import JiraClient, JiraDestination
from integrations.jira_twin import JiraTwin
from integrations.pagerduty import PagerDutyDestination, PagerDutyTwin
from integrations.record import RecordDestination
from integrations.slack import SlackClient, SlackDestination, SlackTwin
from integrations.webhook import WebhookDestination, WebhookTwin
from integrations.zendesk import ZendeskClient, ZendeskDestination, ZendeskTwin
from tasks.limits import hold_rate, rate_limited
from tasks.providers import TWIN


@dataclass(frozen=True, slots=True)
class System:
    """How a type of destination is reached: its URL in the settings, its twin and its client."""

    url: Callable[[Settings], str]
    twin: Callable[[str], Destination]
    client: Callable[[Settings, DestinationSpec, str], Destination]
    secret: str = ""  # the setting that its secret is in, for hints


def destination_of(settings: Settings, spec: DestinationSpec) -> Destination | None:
    """A destination of the bundle; None where the settings do not say how to reach it.

    Raises:
        ConfigurationError: its URL or its secret cannot be used.
    """
    url = url_of(settings, spec)
    if not url:
        return None
    system = SYSTEMS[spec.type]
    return system.twin(spec.id) if url == TWIN else system.client(settings, spec, url)


def url_of(settings: Settings, spec: DestinationSpec) -> str:
    """Where a destination is reached; empty where it is not set up."""
    system = SYSTEMS.get(spec.type)
    return "" if system is None else system.url(settings)


async def hold_to_rate(spec: DestinationSpec) -> None:
    """Have Prefect hold a destination to its rate, where it has one."""
    if spec.per_minute is not None:
        await hold_rate(limited_as(spec), spec.per_minute)


def limited_as(spec: DestinationSpec) -> str:
    """The name under which a destination's rate is held."""
    return f"to-{spec.id}"


def outgoing(
    settings: Settings,
    spec: DestinationSpec,
    url: str,
    token: SecretStr,
    scheme: Scheme = bearer,
) -> HttpService:
    """A service that is asked once: what fails is tried again by the outbox, where it shows."""
    limited = spec.per_minute is not None
    return HttpService(
        name=spec.id,
        base_url=url,
        token=token,
        scheme=scheme,
        timeout=settings.provider_timeout,
        attempts=1,
        concurrency=spec.at_once,
        limiter=rate_limited(limited_as(spec)) if limited else no_limit,
        secret_setting=SYSTEMS[spec.type].secret,
    )


def _record(settings: Settings, spec: DestinationSpec, url: str) -> Destination:
    return RecordDestination(name=spec.id)


def _webhook(settings: Settings, spec: DestinationSpec, url: str) -> Destination:
    return WebhookDestination(
        name=spec.id,
        url=url,
        secret=settings.webhook_secret,
        service=outgoing(settings, spec, url, SecretStr("")),
    )


def _pagerduty(settings: Settings, spec: DestinationSpec, url: str) -> Destination:
    return PagerDutyDestination(
        name=spec.id,
        routing_key=settings.pagerduty_routing_key,
        service=outgoing(settings, spec, url, SecretStr("")),
        options=spec.options,
    )


def _zendesk(settings: Settings, spec: DestinationSpec, url: str) -> Destination:
    scheme = basic(f"{settings.zendesk_email}/token")
    service = outgoing(settings, spec, url, settings.zendesk_api_token, scheme)
    return ZendeskDestination(zendesk=ZendeskClient(service=service), name=spec.id)


def _slack(settings: Settings, spec: DestinationSpec, url: str) -> Destination:
    service = outgoing(settings, spec, url, settings.slack_token)
    channel = str(spec.options.get("channel", ""))
    return SlackDestination(slack=SlackClient(service=service), channel=channel, name=spec.id)


def _jira(settings: Settings, spec: DestinationSpec, url: str) -> Destination:
    service = outgoing(settings, spec, url, settings.jira_token, basic(settings.jira_email))
    return JiraDestination(
        jira=JiraClient(service=service),
        project=settings.jira_project,
        issue_type=settings.jira_issue_type,
        statuses={"closed": str(spec.options["closed"])} if "closed" in spec.options else None,
        name=spec.id,
    )


def _coop(settings: Settings, spec: DestinationSpec, url: str) -> Destination:
    service = outgoing(settings, spec, url, settings.coop_api_key, in_header("X-API-KEY"))
    key = signing_key(settings.coop_signing_key_file or settings.home / "keys" / "coop.pem")
    types = {name: str(value) for name, value in spec.options.items()}
    return CoopDestination(coop=CoopClient(service=service, key=key), name=spec.id, **types)


#: How each type of destination is reached. The record is a part of Casework, and always there.
SYSTEMS: Final[Mapping[str, System]] = {
    "log": System(lambda settings: TWIN, lambda name: RecordDestination(name=name), _record),
    "webhook": System(
        lambda settings: settings.webhook_url,
        lambda name: WebhookTwin(name=name),
        _webhook,
        "CASEWORK_WEBHOOK_SECRET",
    ),
    "pagerduty": System(
        lambda settings: settings.pagerduty_url,
        lambda name: PagerDutyTwin(name=name),
        _pagerduty,
        "CASEWORK_PAGERDUTY_ROUTING_KEY",
    ),
    "zendesk": System(
        lambda settings: settings.zendesk_url,
        lambda name: ZendeskDestination(zendesk=ZendeskTwin(), name=name),
        _zendesk,
        "CASEWORK_ZENDESK_EMAIL and CASEWORK_ZENDESK_API_TOKEN",
    ),
    "slack": System(
        lambda settings: settings.slack_url if settings.slack_token.get_secret_value() else "",
        lambda name: SlackDestination(slack=SlackTwin(), channel="C0TWIN", name=name),
        _slack,
        "CASEWORK_SLACK_TOKEN",
    ),
    "jira": System(
        lambda settings: settings.jira_url,
        lambda name: JiraDestination(jira=JiraTwin(), project="TWIN", name=name),
        _jira,
        "CASEWORK_JIRA_EMAIL and CASEWORK_JIRA_TOKEN",
    ),
    "coop": System(
        lambda settings: settings.coop_url,
        lambda name: CoopDestination(coop=CoopTwin(), name=name),
        _coop,
        "CASEWORK_COOP_API_KEY",
    ),
}
