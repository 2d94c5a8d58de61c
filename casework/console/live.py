"""News for open pages: one look at the history a second, for all who listen together.

What is told is that something of a kind has happened, and never what.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Engine

from casework.errors import CaseworkError
from casework.ledger.entries import Action
from casework.store.engine import reading
from casework.store.news import News, news_since, sessions_in_force

log = logging.getLogger(__name__)

#: Every so many looks it is asked instead whether the listeners' sessions go on.
SESSIONS_EVERY: Final = 15

#: Entries that are looked at again: on PostgreSQL an earlier one may be committed later.
OVERLAP: Final = 500

#: Behind every entry.
NEVER: Final = 2**62

#: Seconds after which a silent stream says that it is there.
SILENCE: Final = 20.0


class Kind(StrEnum):
    """What a page is told."""

    DECIDED = "decided"
    CLAIM = "claim"
    CARRIED_OUT = "carried_out"
    REVISED = "revised"
    MOVED = "moved"
    PLAYBOOK = "playbook"
    QUEUE = "queue"
    ENDED = "ended"  # the session; the last that is told
    AGAIN = "again"  # whoever listens has to ask anew


_OF_CASE: Final[Mapping[Action, Kind]] = {
    Action.GATE_ANSWERED: Kind.DECIDED,
    Action.GATE_DECIDED: Kind.DECIDED,
    Action.GATE_CARRIED_OUT: Kind.CARRIED_OUT,
    Action.CASE_REVISED: Kind.REVISED,
    Action.GATE_SUPERSEDED: Kind.REVISED,
    Action.CASE_RESTRICTED: Kind.AGAIN,
    Action.GATE_CLAIMED: Kind.CLAIM,
    Action.GATE_RELEASED: Kind.CLAIM,
    Action.GATE_ASSIGNED: Kind.CLAIM,
    Action.PLAYBOOK_ANSWERED: Kind.PLAYBOOK,
}

#: Of these the queue that a case was in is not known any more: every list may be another.
_LEAVING: Final = frozenset({Action.GATE_HANDED_OVER, Action.GATE_REASSIGNED})


@dataclass(eq=False, slots=True)
class Listener:
    """An open page: of one case, or of some queues."""

    person: str
    session: str  # fingerprint
    case_id: str | None = None
    queues: frozenset[str] = frozenset()
    told: asyncio.Queue[Kind] = field(default_factory=lambda: asyncio.Queue(64))

    def tell(self, kinds: Iterable[Kind]) -> None:
        """Put kinds of news where the page's stream takes them."""
        for kind in kinds:
            if not self.told.full():
                self.told.put_nowait(kind)

    def kinds(self, news: Iterable[News]) -> list[Kind]:
        """What of some news is told to this page, each kind once."""
        return list(dict.fromkeys(kind for each in news if (kind := self._kind(each))))

    def _kind(self, news: News) -> Kind | None:
        if self.case_id is not None:
            mine = news.case_id == self.case_id and news.actor != self.person
            return _OF_CASE.get(news.action, Kind.MOVED) if mine else None
        if news.restricted or news.action == Action.CASE_RESTRICTED:
            return None
        if news.action == Action.GATE_CARRIED_OUT:
            return None  # a list has changed before, as it was decided
        there = news.action in _LEAVING or news.queue in self.queues
        return Kind.QUEUE if there else None


class Live:
    """Looks at the history while anybody listens, and tells each what concerns their page."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], every: float = 1.0) -> None:
        self._engine, self._clock, self._every = engine, clock, every
        self._listeners: set[Listener] = set()
        self._looking: asyncio.Task[None] | None = None
        self._last: int | None = None
        self._seen: frozenset[int] = frozenset()

    async def listen(self, listener: Listener, since: int) -> AsyncGenerator[str, None]:
        """The events of a page as server-sent events, from what it was made of on."""
        self._listeners.add(listener)
        if self._looking is None or self._looking.done():
            self._last = None
            self._looking = asyncio.create_task(self._look())
        try:
            yield "retry: 3000\n\n"
            _, missed = await asyncio.to_thread(self._news, since)
            listener.tell(listener.kinds(missed))
            async for event in _events(listener):
                yield event
        finally:
            self._listeners.discard(listener)

    async def _look(self) -> None:
        """Look once in a while, until nobody listens any more."""
        looks = 0
        try:
            while self._listeners:
                looks += 1
                try:
                    if looks % SESSIONS_EVERY:
                        await self._tell_news()
                    else:
                        await self._end_sessions()
                except CaseworkError as error:
                    log.warning("Open pages are not told of news now: %s", error.code)
                await asyncio.sleep(self._every)
        finally:
            for listener in self._listeners:
                listener.tell([Kind.AGAIN])

    async def _tell_news(self) -> None:
        if self._last is None:
            # What was there before anybody listened is no news.
            last, _ = await asyncio.to_thread(self._news, NEVER)
            self._last, before = await asyncio.to_thread(self._news, last - OVERLAP)
            self._seen = frozenset(each.entry for each in before)
            return
        last, news = await asyncio.to_thread(self._news, self._last - OVERLAP)
        fresh = [each for each in news if each.entry not in self._seen]
        self._last, self._seen = last, frozenset(each.entry for each in news)
        for listener in list(self._listeners):
            listener.tell(listener.kinds(fresh))

    async def _end_sessions(self) -> None:
        listeners = list(self._listeners)
        wanted = {each.session for each in listeners}
        going = await asyncio.to_thread(self._in_force, wanted)
        for listener in listeners:
            if listener.session not in going:
                listener.tell([Kind.ENDED])

    def _news(self, entry: int) -> tuple[int, list[News]]:
        with reading(self._engine) as session:
            return news_since(session, entry)

    def _in_force(self, fingerprints: Collection[str]) -> frozenset[str]:
        with reading(self._engine) as session:
            return sessions_in_force(session, fingerprints, self._clock())


async def _events(listener: Listener) -> AsyncIterator[str]:
    while True:
        try:
            kind = await asyncio.wait_for(listener.told.get(), SILENCE)
        except TimeoutError:
            yield ": still here\n\n"
            continue
        if kind is Kind.AGAIN:
            return
        if kind is Kind.ENDED:
            yield "event: ended\ndata: ended\n\n"
            return
        yield f"event: changed\ndata: {kind}\n\n"
