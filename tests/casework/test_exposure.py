"""A reviewer's day: counted by hand for a few acts, and held by properties for any."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from casework.exposure import PAUSE, Act, Budget, Level, day_began, day_of

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def act(after: float, case: str = "c1", category: str = "", **more: object) -> Act:
    return Act(NINE + minutes(after), case, category=category, **more)  # type: ignore[arg-type]


ACTS = [
    act(0, "c1", "threats", seen=True),  # until 4: four minutes
    act(4, "c1", "threats", decided=True, severity="P0"),
    act(5, "c2", seen=True),  # not marked
    act(6, "c3", "minors", seen=True),  # until somebody comes back: a quarter of an hour
    act(66, "c3", "minors", seen=True),  # the same case again, until now: two minutes
]


def test_a_day_is_summed_up_as_by_hand() -> None:
    day = day_of(ACTS, NINE + minutes(68))
    assert (day.decided, day.severities, day.categories) == (1, {"P0": 1}, {"threats": 1})
    assert day.items == 2
    assert day.exposed == minutes(4 + 15 + 2)
    assert day.at_work == minutes(4 + 1 + 1), "the hour away is no work"


def test_a_budget_is_near_at_eighty_percent_and_spent_at_all_of_it() -> None:
    day = day_of(ACTS, NINE + minutes(68))
    for budget, level in (
        (Budget(), Level.FINE),
        (Budget(items=3), Level.FINE),
        (Budget(items=2), Level.SPENT),
        (Budget(minutes=27), Level.FINE),
        (Budget(minutes=26), Level.NEAR),
        (Budget(items=100, minutes=21), Level.SPENT),
    ):
        assert day.level(budget) is level, budget


def test_the_day_begins_at_midnight_where_people_are() -> None:
    late = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)  # half past midnight, summer time since today
    assert day_began("Europe/London", late) == datetime(2026, 3, 29, 23, tzinfo=UTC)
    assert day_began("UTC", late) == datetime(2026, 3, 29, tzinfo=UTC)


gaps = st.lists(st.tuples(st.floats(0, 90), st.booleans(), st.sampled_from("abc")), max_size=12)


@given(gaps, st.floats(0, 90))
def test_nobody_is_shown_more_than_the_time_there_was(
    given_: list[tuple[float, bool, str]], rest: float
) -> None:
    at, acts = NINE, []
    for gap, marked, case in given_:
        at += minutes(gap)
        acts.append(Act(at, case, category="threats" if marked else "", seen=True))
    day = day_of(acts, at + minutes(rest))
    shown = sum(marked for _, marked, _ in given_)
    assert day.exposed <= min(PAUSE * shown, (at - NINE) + minutes(rest))
    assert day.items == len({case for _, marked, case in given_ if marked})
    assert day.at_work <= at - NINE
