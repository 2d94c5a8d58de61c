"""Putting the providers together: what the policy bundle and the settings ask for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine

from casework.policy.bundle import load_bundle
from casework.policy.model import Bundle
from casework.ports import Provider
from casework.settings import Settings
from casework.store.straight import StraightThrough
from integrations.account import AccountClient, Accounts, AccountSource, AccountTwin
from integrations.cache import StoreCache
from integrations.credentials import Scheme, bearer
from integrations.history import HistoryProvider
from integrations.http import MAX_REPLY, HttpService, Limiter
from integrations.lookup import LookupProvider
from integrations.moderation import Moderation, ModerationClient, ModerationSource, ModerationTwin
from integrations.patterns import PatternProvider
from tasks.limits import rate_limited

#: The URL that asks for the embedded twin instead of a service.
TWIN: Final = "twin:"

#: How long answers are kept. A text's scores change with the model alone, which is in the version.
KEEP_MODERATION: Final = timedelta(days=30)
KEEP_ACCOUNT: Final = timedelta(hours=1)


@asynccontextmanager
async def crew_of(settings: Settings, engine: Engine) -> AsyncIterator[list[Provider]]:
    """The providers of the policy bundle in force; their connections close at the end.

    Raises:
        PolicyError: the bundle does not lint.
        ConfigurationError: a provider's URL cannot be used.
    """
    moderation, accounts = moderation_of(settings), accounts_of(settings)
    try:
        yield providers(settings, load_bundle(settings.bundle_dir), engine, moderation, accounts)
    finally:
        for service in (moderation, accounts):
            if service is not None:
                await service.close()


def providers(
    settings: Settings,
    bundle: Bundle,
    engine: Engine,
    moderation: Moderation | None = None,
    accounts: Accounts | None = None,
) -> list[Provider]:
    """The embedded providers, and those whose service is given; the others are left out."""
    crew: list[Provider] = [HistoryProvider(engine)]
    if bundle.patterns:
        crew.insert(0, PatternProvider(bundle.patterns))
    if moderation is not None:
        cache = StoreCache(engine, KEEP_MODERATION)
        crew.append(LookupProvider(ModerationSource(moderation), cache))
    if accounts is not None:
        crew.append(LookupProvider(AccountSource(accounts), StoreCache(engine, KEEP_ACCOUNT)))
    return crew


def straight_through(settings: Settings, engine: Engine) -> StraightThrough | None:
    """The way straight through, where every provider is embedded; None where one is not.

    Raises:
        PolicyError: the bundle does not lint.
    """
    if settings.moderation_url or settings.account_url:
        return None
    bundle = load_bundle(settings.bundle_dir)
    crew = providers(settings, bundle, engine)
    ahead = [each for each in crew if isinstance(each, PatternProvider)]
    within = [each for each in crew if isinstance(each, HistoryProvider)]
    if len(ahead) + len(within) < len(crew):
        return None
    return StraightThrough(bundle, ahead, within)


def moderation_of(settings: Settings) -> Moderation | None:
    """The moderation service that the settings name; None if they name none."""
    url = settings.moderation_url
    if not url:
        return None
    if url == TWIN:
        return ModerationTwin()
    service = http_service(settings, "moderation", url, settings.moderation_api_key)
    return ModerationClient(service=service, model=settings.moderation_model)


def accounts_of(settings: Settings) -> Accounts | None:
    """The account service that the settings name; None if they name none."""
    url = settings.account_url
    if not url:
        return None
    if url == TWIN:
        return AccountTwin()
    return AccountClient(service=http_service(settings, "account", url, settings.account_api_key))


def http_service(
    settings: Settings,
    name: str,
    url: str,
    token: SecretStr,
    *,
    scheme: Scheme = bearer,
    limiter: Limiter | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    max_reply: int = MAX_REPLY,
) -> HttpService:
    """A service under the limits that the settings give all of them."""
    return HttpService(
        name=name,
        base_url=url,
        token=token,
        scheme=scheme,
        timeout=settings.provider_timeout,
        attempts=settings.provider_attempts,
        concurrency=settings.provider_concurrency,
        limiter=limiter or rate_limited(name),
        transport=transport,
        max_reply=max_reply,
    )
