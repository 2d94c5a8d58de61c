"""How a clock stands, in words and as a class of the style sheet. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from casework.store.desk import SOON
from casework.store.tables import Clock

#: Sizes of the units in which a length of time is said.
_UNITS: Final = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
)


class Pace(StrEnum):
    """Whether a promise is kept; the word is a class of the style sheet too."""

    LATE = "late"
    SOON = "soon"
    FINE = "fine"
    STILL = "still"


@dataclass(frozen=True, slots=True)
class Standing:
    """A clock as a page shows it: the text says all that the colour does."""

    pace: Pace
    text: str


def standing(clock: Clock, now: datetime) -> Standing:
    """How a clock stands at ``now``, and for whom it stands still if it does."""
    if clock.due_at is None:
        return Standing(Pace.STILL, f"stands still for the {_waits_for(clock)}")
    return due(clock.due_at, now)


def due(moment: datetime | None, now: datetime) -> Standing:
    """How a promise for some moment stands; a clock that stands still is due at none."""
    if moment is None:
        return Standing(Pace.STILL, "stands still")
    left = moment - now
    if left < timedelta():
        return Standing(Pace.LATE, f"overdue by {length(-left)}")
    return Standing(Pace.SOON if left <= SOON else Pace.FINE, f"{length(left)} left")


def length(span: timedelta) -> str:
    """A length of time in its largest whole unit."""
    for size, unit in _UNITS:
        if span >= size:
            return f"{span // size} {unit}"
    return f"{max(0, int(span.total_seconds()))} s"


def _waits_for(clock: Clock) -> str:
    """Whom everybody waits for, as the stop that lasts says it."""
    return next((reason for _, until, reason in reversed(clock.stops) if until is None), "moment")
