"""Clocks: due, elapsed, stopped and their state, whatever stops they have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from casework.clocks.calendars import ALWAYS, business_time
from casework.clocks.model import (
    Clock,
    ClockState,
    Stop,
    StopReason,
    due_at,
    elapsed,
    percent_used,
    reached_at,
    state,
    stopped,
)
from tests.factories.clocks import MINUTE, clocks, is_open, office, stops_after

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
FOREVER = datetime.max.replace(tzinfo=UTC)


def clock(*stops: Stop, ended: datetime | None = None) -> Clock:
    return Clock(office(), 4 * HOUR, START, stops, ended)


def waiting(since: timedelta, until: timedelta | None) -> Stop:
    return Stop(START + since, None if until is None else START + until, StopReason.REPORTER)


@given(clocks(), st.data())
def test_another_stop_never_makes_a_clock_due_earlier(clock: Clock, data: st.DataObject) -> None:
    more = data.draw(stops_after(clock.started_at))
    slower = replace(clock, stops=(*clock.stops, more))
    assert (due_at(slower) or FOREVER) >= (due_at(clock) or FOREVER)


@given(clocks(), st.integers(0, 2000))
@settings(max_examples=40)
def test_a_clock_either_runs_or_stands_still(clock: Clock, minutes: int) -> None:
    now = clock.started_at + minutes * MINUTE
    run = sum(
        is_open(clock.calendar, moment)
        and not any(
            s.since <= moment and (s.until is None or moment < s.until) for s in clock.stops
        )
        for moment in (clock.started_at + n * MINUTE for n in range(minutes))
    )
    assert elapsed(clock, now) == run * MINUTE
    whole = business_time(clock.calendar, clock.started_at, now)
    assert elapsed(clock, now) + stopped(clock, now) == whole


@given(clocks())
def test_when_a_clock_is_due_it_has_run_for_its_target(clock: Clock) -> None:
    due = due_at(clock)
    if due is None:
        assert any(stop.until is None for stop in clock.stops)
        return
    assert elapsed(clock, due) == clock.target
    assert percent_used(clock, due) == 100
    assert state(clock, due) is not ClockState.BREACHED
    assert state(clock, due + MINUTE) is ClockState.BREACHED


@given(clocks(), st.integers(0, 200), st.integers(0, 200))
def test_more_time_is_reached_later(clock: Clock, some: int, more: int) -> None:
    early = reached_at(clock, some * MINUTE) or FOREVER
    assert early <= (reached_at(clock, (some + more) * MINUTE) or FOREVER)


def test_a_stop_puts_the_due_date_off_by_its_business_time() -> None:
    assert due_at(clock()) == START + 4 * HOUR
    assert due_at(clock(waiting(HOUR, 3 * HOUR))) == START + 6 * HOUR
    assert due_at(clock(waiting(HOUR, 25 * HOUR))) == START + 28 * HOUR
    overlapping = clock(waiting(HOUR, 3 * HOUR), waiting(2 * HOUR, 4 * HOUR))
    assert due_at(overlapping) == START + 7 * HOUR


def test_a_clock_that_waits_for_somebody_is_not_due_and_not_breached() -> None:
    held = clock(waiting(HOUR, None))
    later = START + timedelta(days=30)
    assert (due_at(held), state(held, later)) == (None, ClockState.STOPPED)
    assert elapsed(held, later) == HOUR
    assert percent_used(held, later) == 25


def test_a_stop_after_the_breach_does_not_mend_it() -> None:
    held = clock(waiting(5 * HOUR, None))
    assert due_at(held) == START + 4 * HOUR
    assert state(held, START + 6 * HOUR) is ClockState.BREACHED


def test_an_end_in_time_meets_the_target_and_a_late_one_breaches_it() -> None:
    in_time, late = clock(ended=START + 4 * HOUR), clock(ended=START + 4 * HOUR + MINUTE)
    assert state(in_time, START + 9 * HOUR) is ClockState.MET
    assert state(late, START + 9 * HOUR) is ClockState.BREACHED
    assert state(late, START + HOUR) is ClockState.RUNNING, "it has not ended yet"
    assert elapsed(in_time, START + 9 * HOUR) == 4 * HOUR


def test_a_night_shift_answers_late_where_the_day_has_ended() -> None:
    due_at_closing = Clock(office(), 8 * HOUR, START, (), START + 10 * HOUR)
    assert state(due_at_closing, START + 11 * HOUR) is ClockState.BREACHED
    around_the_clock = replace(due_at_closing, calendar=ALWAYS, target=10 * HOUR)
    assert state(around_the_clock, START + 11 * HOUR) is ClockState.MET
