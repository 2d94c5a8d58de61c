"""``GET /metrics``: today's figures for a scraper, which must neither wait nor load the store."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine

from casework.errors import CaseworkError
from casework.health.exposition import exposition
from casework.health.regions import region_of
from casework.health.report import summary
from casework.policy.bundle import load_bundle
from casework.settings import Settings
from casework.store.engine import reading
from casework.store.health.reports import read_health
from casework.store.health.taking import snapshot

log = logging.getLogger(__name__)

#: Figures that are no older are shown as they are.
FRESH: Final = timedelta(minutes=5)
#: How many times longer than it took is rested before they are worked out once more.
REST: Final = 20
#: Seconds a scrape waits for figures to be worked out anew.
WAIT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Figures, and when they were worked out."""

    figures: Mapping[str, Any]
    made_at: datetime


class Metrics:
    """The figures last seen, worked out anew where they are old, once at a time."""

    def __init__(
        self,
        kept: Callable[[], Seen | None],
        anew: Callable[[], Seen],
        clock: Callable[[], datetime],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._kept, self._anew, self._clock, self._wait = kept, anew, clock, wait_seconds
        self._seen: Seen | None = None
        self._working: asyncio.Task[None] | None = None
        self._rests_until = datetime.min.replace(tzinfo=UTC)

    async def text(self) -> bytes:
        """What a scraper is told; no later than the wait, with what there is."""
        await self._look(self._kept)
        if self._seen is None or self._clock() - self._seen.made_at > FRESH:
            await self._work_out()
        seen = self._seen
        if seen is None:
            return exposition(None, None, self._clock())
        return exposition(seen.figures, seen.made_at, self._clock())

    async def _work_out(self) -> None:
        """Begin to work them out, unless that is under way or was just done at great cost."""
        if self._working is None or (self._working.done() and self._clock() >= self._rests_until):
            self._working = asyncio.create_task(self._look_anew())
        await asyncio.wait({self._working}, timeout=self._wait)

    async def _look_anew(self) -> None:
        began = self._clock()
        await self._look(self._anew)
        ended = self._clock()
        self._rests_until = ended + REST * (ended - began)

    async def _look(self, read: Callable[[], Seen | None]) -> None:
        """Take over newer figures; where they cannot be had, what was seen stays."""
        try:
            found = await asyncio.to_thread(read)
        except CaseworkError as error:
            log.warning("figures for /metrics cannot be had: %s", error.message)
            return
        if found and (self._seen is None or found.made_at > self._seen.made_at):
            self._seen = found


def metrics_of(settings: Settings, engine: Engine, wait_seconds: float = WAIT_SECONDS) -> Metrics:
    """The figures of a store: those that the flow keeps, or worked out from the store itself."""

    def clock() -> datetime:
        return datetime.now(UTC)

    def kept() -> Seen | None:
        with reading(engine) as session:
            found = snapshot(session)
        return Seen(found.figures, found.made_at) if found else None

    def anew() -> Seen:
        at = clock()
        region = region_of(load_bundle(settings.bundle_dir), settings.health_region)
        with reading(engine) as session:
            return Seen(summary(read_health(session, region, at)), at)

    return Metrics(kept, anew, clock, wait_seconds)
