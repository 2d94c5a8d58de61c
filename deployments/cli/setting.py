"""What commands share: settings, the store, and who is at the keyboard."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session

from casework.errors import ConfigurationError, InputError, StoreError
from casework.ledger.entries import Provenance
from casework.settings import Settings, load_settings
from casework.store.engine import open_engine, reading
from casework.store.schema import check_current, upgrade
from casework.version import code_version
from deployments.stack import prepare_environment


def settled() -> Settings:
    """The settings, with Prefect's own pointed at the same home folder."""
    settings = load_settings()
    prepare_environment(settings)
    return settings


def opened(settings: Settings) -> Engine:
    """The store, which must have been set up.

    Raises:
        StoreError: it has not, or does not answer.
    """
    if not settings.database_url and not (settings.home / "casework.db").exists():
        raise StoreError(f"there is no store in {settings.home}", hint="run: casework db upgrade")
    engine = open_engine(settings.store_url)
    check_current(engine)
    return engine


def set_up(settings: Settings) -> Engine:
    """The store, set up or brought up to date first where it is the embedded one.

    Raises:
        StoreError: it does not answer, or is not the embedded one and not set up.
    """
    if settings.database_url:
        return opened(settings)
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the home folder {settings.home} cannot be made: {error.strerror}",
            hint="set CASEWORK_HOME to a folder you may write to",
        ) from error
    engine = open_engine(settings.store_url)
    upgrade(engine)
    return engine


def operator() -> Provenance:
    """Whoever types: the account of the operating system, as a person."""
    return Provenance(
        actor=f"os:{getpass.getuser()}", actor_kind="person", code_version=code_version()
    )


def actor(given: str, settings: Settings) -> str:
    """The person who answers, from the option or the setting.

    Raises:
        InputError: neither names anybody.
    """
    if chosen := given or settings.actor:
        return chosen
    raise InputError("who are you?", hint="give --as ID, or set CASEWORK_ACTOR")


def acting(given: str, settings: Settings) -> Provenance:
    """The person who acts, from the option or the setting.

    Raises:
        InputError: neither names anybody.
    """
    return replace(operator(), actor=actor(given, settings))


@contextmanager
def sighted(given: str) -> Iterator[tuple[Session, str | None]]:
    """The store, to read from, and who reads: from the option or the setting, or nobody known."""
    settings = settled()
    with reading(opened(settings)) as session:
        yield session, given or settings.actor or None


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
