"""What the domain asks of the outside world, as protocols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from casework.cases import Evidence, Reading
from casework.effects import Delivery, Receipt


class Provider(Protocol):
    """A source of signals.

    ``read`` answers one reading for each piece of evidence, in the same order. It never raises
    for a failure of the outside system: the reading's signals become unknown, with the reason.
    """

    @property
    def name(self) -> str:
        """Stable name, such as ``patterns``; stored with every signal."""

    @property
    def version(self) -> str:
        """Changes whenever the same evidence could give another answer."""

    @property
    def signals(self) -> Sequence[str]:
        """Names of the signals it gives."""

    async def read(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        """Read the signals of a batch of cases."""


class RunState(StrEnum):
    """What a review run is doing, as far as the reconciler cares."""

    SUSPENDED = "suspended"
    SCHEDULED = "scheduled"  # a worker will pick it up
    ACTIVE = "active"  # pending, running or cancelling: a process is thought to hold it
    ENDED = "ended"
    MISSING = "missing"  # deleted, or never made


@dataclass(frozen=True, slots=True)
class RunView:
    """A review run's state and since when it has been in it."""

    state: RunState
    since: datetime


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A review run to make. ``key`` makes the request idempotent."""

    case_id: str
    gate_id: str
    key: str
    attempt: int
    suspended: bool  # False: it is to run at once, for its gate has been decided
    tags: tuple[str, ...] = ()
    takes_form: bool = False  # whether Prefect's Resume form may answer


class ReviewRuns(Protocol):
    """The runs in which cases wait for people; Prefect holds them."""

    async def make(self, request: RunRequest) -> str:
        """Make a run and return its id; the same key gives the same run.

        Raises:
            EngineError: Prefect cannot be reached or refused.
        """

    async def wake(self, run_ids: Sequence[str]) -> int:
        """Let suspended runs go on; return how many of them were suspended.

        Raises:
            EngineError: Prefect cannot be reached.
        """

    async def look(self, run_ids: Sequence[str]) -> Mapping[str, RunView]:
        """The runs that exist among these, with their states.

        Raises:
            EngineError: Prefect cannot be reached.
        """


class Destination(Protocol):
    """A system that effects are sent to."""

    @property
    def name(self) -> str:
        """The destination's id in the bundle; stored with every attempt."""

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Send one effect; the same key twice must do it once, where the system allows.

        Raises:
            ProviderError: it was not taken; whether trying again may help is the error's to say.
        """

    async def close(self) -> None:
        """Close its connections."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what a feed has, and where to go on from."""

    items: Sequence[Mapping[str, Any]]
    cursor: str | None  # opaque; None: the feed has not begun
    complete: bool  # nothing waits behind it


class Feed(Protocol):
    """A system that items are pulled from, page by page."""

    async def page(self, cursor: str | None) -> Page:
        """What came after a cursor; without one, from wherever the feed begins.

        Raises:
            ProviderError: it cannot be had now.
        """

    async def close(self) -> None:
        """Close its connections."""
