"""From what happened to a piece of work to its clock, and to who had it when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from casework.clocks.calendars import Calendar
from casework.clocks.model import Clock, Stop, StopReason


class Happening(StrEnum):
    """What can happen to a piece of work, as far as a clock cares."""

    OPENED = "opened"
    ASSIGNED = "assigned"  # somebody else named the person
    CLAIMED = "claimed"  # the person took it
    STOPPED = "stopped"
    RESTARTED = "restarted"
    ENDED = "ended"
    REOPENED = "reopened"


class Event(NamedTuple):
    """One of these, when, and for a stop, for whom it waits."""

    at: datetime
    what: Happening
    reason: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Handling:
    """When it was given to somebody, and when it was first and last taken."""

    assigned_at: datetime | None = None
    first_claimed_at: datetime | None = None
    last_claimed_at: datetime | None = None


def clock_of(calendar: Calendar, target: timedelta, events: Iterable[Event]) -> Clock:
    """The clock that events, in any order, make: from the first that opens to the last that ends.

    A stop while it stands still gives the standing another reason. The time between an end and a
    reopening counts as a stop.

    Raises:
        ValueError: nothing opens it.
    """
    stops: list[Stop] = []
    started: datetime | None = None
    ended: datetime | None = None
    for event in sorted(events, key=lambda each: each.at):
        match event.what:
            case Happening.OPENED if started is None:
                started = event.at
            case Happening.STOPPED if ended is None:
                stops = _stopped(stops, event.at, event.reason or StopReason.REPORTER)
            case Happening.RESTARTED:
                stops = _restarted(stops, event.at)
            case Happening.ENDED if ended is None:
                ended, stops = event.at, _restarted(stops, event.at)
            case Happening.REOPENED if ended is not None:
                stops, ended = [*stops, Stop(ended, event.at, StopReason.REOPENED)], None
            case _:
                continue
    if started is None:
        raise ValueError("nothing opens this clock")
    return Clock(calendar, target, started, tuple(stops), ended)


def handling_of(events: Iterable[Event]) -> Handling:
    """When a piece of work was first assigned, first claimed and last claimed."""
    ordered = sorted(events, key=lambda each: each.at)
    assigned = [each.at for each in ordered if each.what is Happening.ASSIGNED]
    claimed = [each.at for each in ordered if each.what is Happening.CLAIMED]
    return Handling(
        assigned_at=assigned[0] if assigned else None,
        first_claimed_at=claimed[0] if claimed else None,
        last_claimed_at=claimed[-1] if claimed else None,
    )


def _stopped(stops: Sequence[Stop], at: datetime, reason: StopReason) -> list[Stop]:
    return [*_restarted(stops, at), Stop(at, None, reason)]


def _restarted(stops: Sequence[Stop], at: datetime) -> list[Stop]:
    return [stop if stop.until is not None else stop._replace(until=at) for stop in stops]
