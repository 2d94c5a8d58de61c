"""From what happened to a clock, and to who had the work when."""

from datetime import UTC, datetime, timedelta

import pytest

from casework.clocks.calendars import ALWAYS
from casework.clocks.events import Event, Handling, Happening, clock_of, handling_of
from casework.clocks.model import StopReason, due_at, elapsed, stopped

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float, what: Happening, reason: StopReason | None = None) -> Event:
    return Event(START + hours * HOUR, what, reason)


def test_waiting_stops_the_clock_and_an_answer_restarts_it() -> None:
    events = [
        at(0, Happening.OPENED),
        at(1, Happening.STOPPED, StopReason.REPORTER),
        at(3, Happening.STOPPED, StopReason.VENDOR),
        at(6, Happening.RESTARTED),
        at(8, Happening.ENDED),
    ]
    clock = clock_of(ALWAYS, 4 * HOUR, events)
    assert [(s.since, s.until, s.reason) for s in clock.stops] == [
        (START + HOUR, START + 3 * HOUR, "reporter"),
        (START + 3 * HOUR, START + 6 * HOUR, "vendor"),
    ]
    assert (elapsed(clock, START + 99 * HOUR), stopped(clock, START + 99 * HOUR)) == (
        3 * HOUR,
        5 * HOUR,
    )
    assert due_at(clock) == START + 9 * HOUR


def test_what_comes_back_goes_on_with_the_time_that_was_left() -> None:
    events = [
        at(0, Happening.OPENED),
        at(1, Happening.ENDED),
        at(2, Happening.ENDED),
        at(10, Happening.REOPENED),
    ]
    clock = clock_of(ALWAYS, 4 * HOUR, events)
    assert clock.ended_at is None
    assert due_at(clock) == START + 13 * HOUR


def test_an_end_ends_what_stands_still_too() -> None:
    events = [at(2, Happening.ENDED), at(1, Happening.STOPPED), at(0, Happening.OPENED)]
    clock = clock_of(ALWAYS, 4 * HOUR, events)
    assert [stop.until for stop in clock.stops] == [START + 2 * HOUR]
    assert elapsed(clock, START + 9 * HOUR) == HOUR


def test_nothing_runs_before_it_is_opened() -> None:
    with pytest.raises(ValueError, match="nothing opens"):
        clock_of(ALWAYS, HOUR, [at(0, Happening.ENDED)])


def test_assignments_and_claims_keep_their_times() -> None:
    events = [
        at(3, Happening.CLAIMED),
        at(1, Happening.ASSIGNED),
        at(2, Happening.CLAIMED),
        at(4, Happening.ASSIGNED),
    ]
    assert handling_of(events) == Handling(START + HOUR, START + 2 * HOUR, START + 3 * HOUR)
    assert handling_of([]) == Handling()
