"""Putting the receiver together and running it until it is told to stop."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from casework.errors import ConfigurationError, StoreError
from casework.inbox.load import load_sources, secrets_of
from casework.inbox.posts import Kept
from casework.inbox.sources import Source
from casework.rate import Bucket
from casework.settings import Settings
from casework.store.engine import open_engine, reach_the_disk, transaction
from casework.store.inbox import receive
from casework.store.schema import check_current
from deployments.receiver.app import Door, create_app
from deployments.receiver.nudge import Nudge
from deployments.receiver.writer import GroupWriter
from integrations.signatures import check_secret

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Run the receiver in this process until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: no sources are declared, or one of them cannot be used.
        StoreError: the store does not answer or is not set up.
    """
    app = composed(settings)
    uvicorn.run(
        app,
        host=settings.receiver_host,
        port=settings.receiver_port,
        # The access log would name sources and senders for nothing; counts are under /counts.
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def composed(settings: Settings) -> FastAPI:
    """The application with its sources, its store and its writer; raises as ``serve``."""
    doors = doors_of(settings)
    engine = open_engine(settings.store_url)
    reach_the_disk(engine)
    check_current(engine)
    nudge = Nudge()

    def write(posts: Sequence[Kept]) -> None:
        with transaction(engine) as session:
            receive(session, posts)
        nudge.soon()

    writer = GroupWriter(write)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        writer.start()
        nudging = asyncio.create_task(nudge.run())
        try:
            yield
        finally:
            nudging.cancel()
            await asyncio.to_thread(writer.close)

    async def ready() -> bool:
        return writer.alive and await asyncio.to_thread(_answers, engine)

    return create_app(doors, writer, clock=lambda: datetime.now(UTC), ready=ready, running=running)


def doors_of(settings: Settings) -> dict[str, Door]:
    """A door for every declared source, with the secrets that are there.

    Raises:
        ConfigurationError: no file declares sources, a secret cannot be used, or a source has none.
    """
    if settings.inbox_file is None:
        raise ConfigurationError(
            "no sources are declared", hint="set CASEWORK_INBOX_FILE; see docs/receiver.md"
        )
    sources = load_sources(settings.inbox_file)
    folder = settings.inbox_file.parent
    return {name: _door(source, folder) for name, source in sources.items()}


def _door(source: Source, folder: Path) -> Door:
    keys = secrets_of(source, os.environ, folder)
    for place, reason in keys.missing.items():
        log.warning("source %s: secret %s: %s", source.id, place, reason)
    if not keys.secrets:
        raise ConfigurationError(
            f"source {source.id} has no secret: {', '.join(keys.missing)}",
            hint="nothing it posts could be believed; set one of them",
        )
    for secret in keys.secrets:
        try:
            check_secret(source.vendor, secret.get_secret_value())
        except ConfigurationError as error:
            raise ConfigurationError(
                f"source {source.id}: {error.message}", hint=error.hint
            ) from error
    return Door(source, keys.secrets, Bucket(source.entry.rate, source.entry.burst))


def _answers(engine: Engine) -> bool:
    try:
        check_current(engine)
    except StoreError:
        return False
    return True
