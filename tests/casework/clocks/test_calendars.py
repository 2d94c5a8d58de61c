"""Business time: against a count of minutes, over changes of the clock, and by its laws."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.clocks.calendars import ALWAYS, Calendar, business_time, instant_after
from tests.factories.clocks import MINUTE, calendars, counted, is_open, minutes_near_a_turn, office

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(calendars(), minutes_near_a_turn(), st.integers(0, 2 * 1440))
@settings(max_examples=60)
def test_business_time_is_what_counting_the_minutes_gives(
    calendar: Calendar, start: datetime, minutes: int
) -> None:
    end = start + minutes * MINUTE
    assert business_time(calendar, start, end) == counted(calendar, start, end)


@given(calendars(), minutes_near_a_turn(), st.integers(1, 3000))
@settings(max_examples=60)
def test_the_instant_after_an_amount_is_the_first_by_which_it_has_passed(
    calendar: Calendar, start: datetime, minutes: int
) -> None:
    amount = minutes * MINUTE
    instant = instant_after(calendar, start, amount)
    assert business_time(calendar, start, instant) == amount
    assert business_time(calendar, start, instant - MINUTE) == amount - MINUTE
    assert is_open(calendar, instant - MINUTE)


@given(calendars(), minutes_near_a_turn(), st.integers(0, 600_000), st.integers(0, 600_000))
@settings(max_examples=40)
def test_business_time_adds_up(
    calendar: Calendar, start: datetime, first: int, second: int
) -> None:
    middle = start + first * MINUTE
    end = middle + second * MINUTE
    whole = business_time(calendar, start, end)
    assert whole == business_time(calendar, start, middle) + business_time(calendar, middle, end)


@given(calendars(), minutes_near_a_turn(), st.integers(0, 9000), st.integers(0, 9000))
def test_amounts_one_after_the_other_are_due_when_both_together_are(
    calendar: Calendar, start: datetime, first: int, second: int
) -> None:
    one, both = first * MINUTE, (first + second) * MINUTE
    in_steps = instant_after(calendar, instant_after(calendar, start, one), second * MINUTE)
    assert in_steps == instant_after(calendar, start, both)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2024-03-30", 24), ("2024-03-31", 23), ("2024-10-26", 24), ("2024-10-27", 25)],
)
def test_a_day_on_which_the_clocks_change_has_an_hour_less_or_more(day: str, hours: int) -> None:
    london = Calendar("Europe/London", ALWAYS.week)
    offset = HOUR if day in ("2024-10-26", "2024-10-27") else timedelta()
    begin = at(day) - offset
    assert business_time(london, begin, begin + hours * HOUR) == hours * HOUR
    shop = Calendar("Europe/London", (((0, 240),),) * 7)
    assert business_time(shop, begin, begin + hours * HOUR) == 4 * HOUR + (hours - 24) * HOUR


def test_hours_of_work_stay_where_the_wall_has_them_when_the_clocks_change() -> None:
    friday = at("2024-03-29 16:00")
    assert instant_after(office(), friday, 2 * HOUR) == at("2024-04-01 09:00")
    assert instant_after(office(), at("2024-10-25 15:00"), 2 * HOUR) == at("2024-10-28 10:00")


def test_a_target_used_up_at_closing_time_is_due_then() -> None:
    monday = at("2026-03-02 09:00")
    assert instant_after(office(), monday, 8 * HOUR) == at("2026-03-02 17:00")
    assert instant_after(office(), monday, 8 * HOUR + MINUTE) == at("2026-03-03 09:01")


def test_a_holiday_has_no_business() -> None:
    closed = office(holidays=frozenset({date(2026, 3, 3)}))
    assert instant_after(closed, at("2026-03-02 16:00"), 2 * HOUR) == at("2026-03-04 10:00")
    assert business_time(closed, at("2026-03-03 00:00"), at("2026-03-04 00:00")) == timedelta()


def test_work_goes_on_past_the_end_of_the_year() -> None:
    assert instant_after(office(), at("2025-12-31 16:00"), 2 * HOUR) == at("2026-01-01 10:00")
    spent = business_time(office(), at("2024-12-31 09:00"), at("2026-01-01 10:00"))
    assert spent == (1 + 261) * 8 * HOUR + HOUR


def test_time_does_not_run_backwards() -> None:
    noon = at("2026-03-02 12:00")
    assert business_time(office(), noon, noon - HOUR) == timedelta()
    assert instant_after(office(), noon, -HOUR) == noon


def test_a_calendar_that_is_never_open_is_refused() -> None:
    with pytest.raises(ValueError, match="one day at least"):
        Calendar("UTC", ((),) * 7)
