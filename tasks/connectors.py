"""Putting the connectors together: the systems a team already has, as the settings name them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from casework.ports import Feed
from casework.resources import resource
from casework.settings import Settings
from integrations.credentials import basic
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
