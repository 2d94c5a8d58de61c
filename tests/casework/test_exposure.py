"""A reviewer's day: counted by hand for a few acts, and held by properties for any."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from casework.exposure import (
    PAUSE,
    Act,
    Budget,
    Level,
    Sight,
    day_began,
    day_of,
    exposure_of,
)

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def act(after: float, case: str = "c1", category: str = "", **more: object) -> Act:
    return Act(NINE + minutes(after), case, category=category, **more)  # type: ignore[arg-type]


def sight(case: str, after: float, until: float | None = None) -> Sight:
    return Sight(case, NINE + minutes(after), None if until is None else NINE + minutes(until))


ACTS = [
    act(0, "c1"),
    act(4, "c1", "threats", decided=True, severity="P0"),
    act(5, "c2"),
    act(6, "c3"),
    act(66, "c3"),
]

SIGHTS = [
    sight("c1", 0, 4),
    sight("c3", 6, 66),  # nobody looks for an hour: a quarter of one
    sight("c3", 66),  # the same case again, until now: two minutes
]


def test_a_day_is_summed_up_as_by_hand() -> None:
    day = day_of(ACTS)
    assert (day.decided, day.severities, day.categories) == (1, {"P0": 1}, {"threats": 1})
    assert day.at_work == minutes(4 + 1 + 1), "the hour away is no work"


def test_what_was_shown_is_summed_up_as_by_hand() -> None:
    seen = exposure_of(SIGHTS, NINE + minutes(68))
    assert seen.items == 2
    assert seen.time == minutes(4 + 15 + 2)


def test_a_budget_is_near_at_eighty_percent_and_spent_at_all_of_it() -> None:
    seen = exposure_of(SIGHTS, NINE + minutes(68))
    for budget, level in (
        (Budget(), Level.FINE),
        (Budget(items=3), Level.FINE),
        (Budget(items=2), Level.SPENT),
        (Budget(minutes=27), Level.FINE),
        (Budget(minutes=26), Level.NEAR),
        (Budget(items=100, minutes=21), Level.SPENT),
    ):
        assert seen.level(budget) is level, budget


def test_the_day_begins_at_midnight_where_people_are() -> None:
    late = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)  # half past midnight, summer time since today
    assert day_began("Europe/London", late) == datetime(2026, 3, 29, 23, tzinfo=UTC)
    assert day_began("UTC", late) == datetime(2026, 3, 29, tzinfo=UTC)


@given(
    st.lists(st.tuples(st.floats(0, 90), st.booleans(), st.sampled_from("abc")), max_size=12),
    st.floats(0, 90),
)
def test_nobody_is_shown_more_than_the_time_there_was(
    given_: list[tuple[float, bool, str]], rest: float
) -> None:
    ats = [NINE + minutes(sum(gap for gap, _, _ in given_[: i + 1])) for i in range(len(given_))]
    ends = [*ats[1:], None]
    sights = [
        Sight(case, at, end)
        for (_, marked, case), at, end in zip(given_, ats, ends, strict=False)
        if marked
    ]
    now = (ats[-1] if ats else NINE) + minutes(rest)
    seen = exposure_of(sights, now)
    assert seen.time <= min(PAUSE * len(sights), now - NINE)
    assert seen.items == len({sight.case_id for sight in sights})
    acts = [Act(at, case) for (_, _, case), at in zip(given_, ats, strict=True)]
    assert day_of(acts).at_work <= now - NINE
