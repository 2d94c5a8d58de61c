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
    category: str = ""  # marked, of what was seen or decided
    seen: bool = False  # whether its content was shown by it


@dataclass(frozen=True, slots=True)
class Day:
    """What somebody did since a day began."""

    decided: int
    severities: Mapping[str, int]
    categories: Mapping[str, int]  # decided, by marked category
    at_work: timedelta
    items: int  # marked cases whose content was shown
    exposed: timedelta  # how long it was

    def share(self, budget: Budget) -> float:
        """How much of a budget is used up; more than 1 is more than all of it."""
        minutes = self.exposed / timedelta(minutes=1)
        parts = ((self.items, budget.items), (minutes, budget.minutes))
        return max((used / limit for used, limit in parts if limit is not None), default=0.0)

    def level(self, budget: Budget) -> Level:
        """Whether a budget is near its end, or spent."""
        share = self.share(budget)
        return Level.SPENT if share >= 1 else Level.NEAR if share >= NUDGE else Level.FINE


def day_began(zone: str, now: datetime) -> datetime:
    """The last midnight of a zone."""
    local = now.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)


def day_of(acts: Sequence[Act], now: datetime) -> Day:
    """Sum up what somebody did, in order of time.

    What is shown counts until the next thing they do, and a time counts as work where the next
    thing comes soon: for ``PAUSE`` at the most in both cases.
    """
    decided = [act for act in acts if act.decided]
    hard = {act.case_id for act in acts if act.seen and act.category}
    ends = [*(act.at for act in acts[1:]), now]
    shown = [
        min(end - act.at, PAUSE)
        for act, end in zip(acts, ends, strict=False)
        if act.seen and act.category
    ]
    gaps = [later.at - earlier.at for earlier, later in pairwise(acts)]
    return Day(
        decided=len(decided),
        severities=dict(sorted(Counter(act.severity for act in decided if act.severity).items())),
        categories=dict(sorted(Counter(act.category for act in decided if act.category).items())),
        at_work=sum((gap for gap in gaps if gap <= PAUSE), timedelta()),
        items=len(hard),
        exposed=sum(shown, timedelta()),
    )
