"""A reviewer's day: what they did, how long, and how much hard content they saw. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

#: Nobody who does nothing for longer than this is at work, or still looking at something.
PAUSE: Final = timedelta(minutes=15)

#: The share of a budget at which somebody is told that it runs out.
NUDGE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Budget:
    """How much content of marked categories somebody should see in a day at the most."""

    items: int | None = None  # different cases
    minutes: int | None = None
    zone: str = "UTC"  # where the day begins at midnight


class Level(StrEnum):
    """How far a budget is used up."""

    FINE = "fine"
    NEAR = "near"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person did at their desk."""

    at: datetime
    case_id: str
    decided: bool = False
    severity: str = ""  # of what was decided
    category: str = ""  # marked, of what was decided


@dataclass(frozen=True, slots=True)
class Sight:
    """That content of a marked category was shown to a person, until the next thing they did."""

    case_id: str
    at: datetime
    until: datetime | None  # None: they have done nothing since


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much content of marked categories somebody saw since a day began."""

    items: int  # different cases
    time: timedelta

    def share(self, budget: Budget) -> float:
        """How much of a budget is used up; more than 1 is more than all of it."""
        minutes = self.time / timedelta(minutes=1)
        parts = ((self.items, budget.items), (minutes, budget.minutes))
        return max((used / limit for used, limit in parts if limit is not None), default=0.0)

    def level(self, budget: Budget) -> Level:
        """Whether a budget is near its end, or spent."""
        share = self.share(budget)
        return Level.SPENT if share >= 1 else Level.NEAR if share >= NUDGE else Level.FINE


@dataclass(frozen=True, slots=True)
class Day:
    """What somebody did since a day began."""

    decided: int
    severities: Mapping[str, int]
    categories: Mapping[str, int]  # decided, by marked category
    at_work: timedelta


def day_began(zone: str, now: datetime) -> datetime:
    """The last midnight of a zone."""
    local = now.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)


def exposure_of(sights: Sequence[Sight], now: datetime) -> Exposure:
    """Sum up what somebody was shown; each sight counts for ``PAUSE`` at the most."""
    times = (min((sight.until or now) - sight.at, PAUSE) for sight in sights)
    return Exposure(len({sight.case_id for sight in sights}), sum(times, timedelta()))


def day_of(acts: Sequence[Act]) -> Day:
    """Sum up what somebody did, in order of time.

    A time counts as work where the next thing comes within ``PAUSE``.
    """
    decided = [act for act in acts if act.decided]
    gaps = [later.at - earlier.at for earlier, later in pairwise(acts)]
    return Day(
        decided=len(decided),
        severities=dict(sorted(Counter(act.severity for act in decided if act.severity).items())),
        categories=dict(sorted(Counter(act.category for act in decided if act.category).items())),
        at_work=sum((gap for gap in gaps if gap <= PAUSE), timedelta()),
    )
