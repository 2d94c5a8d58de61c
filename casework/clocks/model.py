"""A clock: what was promised, when it runs, when it stands still, and how it stands at ``now``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from casework.clocks.calendars import Calendar, business_time, instant_after


class ClockKind(StrEnum):
    """What is promised."""

    FIRST_TOUCH = "first_touch"  # until somebody takes it up
    DECISION = "decision"  # until people have decided
    PARTNER_ANSWER = "partner_answer"  # until the partner that has it answers or gives it back


class StopReason(StrEnum):
    """Whom everybody waits for while a clock stands still."""

    REPORTER = "reporter"
    PARTNER = "partner"
    VENDOR = "vendor"
    REOPENED = "reopened"  # it was done with, and came back


class ClockState(StrEnum):
    """How a clock stands. A breach is never taken back."""

    RUNNING = "running"
    STOPPED = "stopped"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"  # what it was about has been superseded


class Stop(NamedTuple):
    """A time during which a clock stands still; ``until`` is None while it does."""

    since: datetime
    until: datetime | None
    reason: StopReason


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise. ``target`` is business time of its calendar."""

    calendar: Calendar
    target: timedelta
    started_at: datetime
    stops: Sequence[Stop] = ()
    ended_at: datetime | None = None


def reached_at(clock: Clock, amount: timedelta) -> datetime | None:
    """The instant by which a clock has run for ``amount``; None if a stop that lasts is before it.

    Whether the clock has ended makes no difference.
    """
    for start, end in _stretches(clock):
        if end is None:
            return instant_after(clock.calendar, start, amount)
        run = business_time(clock.calendar, start, end)
        if run >= amount:
            return instant_after(clock.calendar, start, amount)
        amount -= run
    return None


def due_at(clock: Clock) -> datetime | None:
    """When the target is used up; None while a stop that lasts keeps it from being so."""
    return reached_at(clock, clock.target)


def elapsed(clock: Clock, now: datetime) -> timedelta:
    """Business time for which the clock has run, until its end or ``now``."""
    last = _last(clock, now)
    stretches = (
        (start, last if end is None else min(end, last)) for start, end in _stretches(clock)
    )
    return sum((business_time(clock.calendar, start, end) for start, end in stretches), timedelta())


def stopped(clock: Clock, now: datetime) -> timedelta:
    """Business time for which the clock has stood still, until its end or ``now``."""
    whole = business_time(clock.calendar, clock.started_at, _last(clock, now))
    return whole - elapsed(clock, now)


def state(clock: Clock, now: datetime) -> ClockState:
    """How the clock stands at ``now``: an answer at the due instant itself is in time."""
    due, last = due_at(clock), _last(clock, now)
    if due is not None and last > due:
        return ClockState.BREACHED
    if clock.ended_at is not None and clock.ended_at <= now:
        return ClockState.MET
    return ClockState.STOPPED if stands_still(clock, now) else ClockState.RUNNING


def stands_still(clock: Clock, now: datetime) -> bool:
    """Whether a stop is in force at ``now``."""
    return any(s.since <= now and (s.until is None or now < s.until) for s in clock.stops)


def percent_used(clock: Clock, now: datetime) -> float:
    """How much of the target has been used, in percent; more than 100 when it is overrun."""
    return 100 * (elapsed(clock, now) / clock.target)


def _last(clock: Clock, now: datetime) -> datetime:
    return now if clock.ended_at is None else min(clock.ended_at, now)


def _stretches(clock: Clock) -> Iterator[tuple[datetime, datetime | None]]:
    """The times between the stops, in order; the last has no end unless a stop lasts."""
    start = clock.started_at.astimezone(UTC)
    for stop in sorted(clock.stops, key=lambda each: each.since):
        if stop.until is not None and stop.until <= start:
            continue
        if stop.since > start:
            yield start, stop.since.astimezone(UTC)
        if stop.until is None:
            return
        start = stop.until.astimezone(UTC)
    yield start, None
