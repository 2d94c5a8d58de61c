"""Putting the connectors together: the systems a team already has, as the settings name them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from casework.errors import ConfigurationError
from casework.ports import Feed
from casework.resources import resource
from casework.settings import Settings
from integrations.coop import Coop, CoopClient, CoopTwin, signing_key
from integrations.credentials import basic, in_header
from integrations.jira import Jira, JiraClient
from integrations.jira_twin import JiraTwin
from integrations.slack import Slack, SlackClient, SlackTwin
from integrations.zendesk import Zendesk, ZendeskClient, ZendeskFeed, ZendeskTwin
from tasks.providers import TWIN, http_service

#: Where the first pull begins where nobody has said.
FIRST_PULL: Final = timedelta(days=1)

#: The export's name: it has a rate limit of its own.
EXPORT: Final = "zendesk-export"

#: Bytes of a page of the export at the most: a thousand tickets, each with a long text.
MAX_EXPORT: Final = 128 * 1024 * 1024


def zendesk_of(settings: Settings, name: str = "zendesk") -> Zendesk | None:
    """The help desk that the settings name; None if they name none.

    Raises:
        ConfigurationError: its URL cannot be used.
    """
    url = settings.zendesk_url
    if not url:
        return None
    if url == TWIN:
        return ZendeskTwin()
    # Zendesk's own form of basic authentication with an API token.
    scheme = basic(f"{settings.zendesk_email}/token")
    token = settings.zendesk_api_token
    service = http_service(settings, name, url, token, scheme=scheme, max_reply=MAX_EXPORT)
    return ZendeskClient(service=service)


def slack_of(settings: Settings) -> Slack | None:
    """The workspace that the settings name; None if they name none.

    Raises:
        ConfigurationError: its URL cannot be used.
    """
    if settings.slack_url == TWIN:
        return SlackTwin()
    if not settings.slack_token.get_secret_value():
        return None
    service = http_service(settings, "slack", settings.slack_url, settings.slack_token)
    return SlackClient(service=service)


def jira_of(settings: Settings) -> Jira | None:
    """The Jira site that the settings name; None if they name none.

    Raises:
        ConfigurationError: its URL cannot be used.
    """
    url = settings.jira_url
    if not url:
        return None
    if url == TWIN:
        return JiraTwin()
    scheme = basic(settings.jira_email)
    return JiraClient(
        service=http_service(settings, "jira", url, settings.jira_token, scheme=scheme)
    )


def coop_of(settings: Settings) -> Coop | None:
    """The platform that takes Coop's callbacks; None if the settings name none.

    Raises:
        ConfigurationError: its URL or the signing key cannot be used.
    """
    url = settings.coop_url
    if not url:
        return None
    if url == TWIN:
        return CoopTwin()
    if settings.coop_signing_key_file is None:
        raise ConfigurationError(
            "callbacks to the platform are signed, and no key is named",
            hint="set CASEWORK_COOP_SIGNING_KEY_FILE to an RSA private key in PEM",
        )
    scheme = in_header("X-API-KEY")
    service = http_service(settings, "coop", url, settings.coop_api_key, scheme=scheme)
    return CoopClient(service=service, key=signing_key(settings.coop_signing_key_file))


def feed_of(settings: Settings, source: str, now: datetime) -> tuple[Feed, Path] | None:
    """What a source is pulled from, and the mapping of its items; None if it is not configured.

    Raises:
        ConfigurationError: its URL cannot be used.
    """
    zendesk = zendesk_of(settings, EXPORT) if source == "zendesk" else None
    if zendesk is None:
        return None
    since = settings.zendesk_since or now.astimezone(UTC) - FIRST_PULL
    mapping = settings.zendesk_mapping or resource("samples/mappings/zendesk-api.yaml")
    return ZendeskFeed(zendesk, since), mapping
