"""Alerts over simulated worlds: false alarms are as rare as stated, and real changes are found.

The worlds have weekdays that differ, counts that spread more than Poisson's, rare events, shares
and skewed times; they are drawn by numpy, with seeds of their own.
"""

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pytest

from casework.health.alerts import FALSE_ALARMS, find_alerts
from casework.health.measures import Kind
from casework.health.rows import Row
from casework.health.series import FEWEST_DAYS, Point, compare

DAYS, WORLDS = 57, 240
FIRST = date(2026, 1, 5)
DATES = [FIRST + timedelta(days=n) for n in range(DAYS)]
WEEK = np.array([1.3, 1.2, 1.1, 1.0, 0.9, 0.25, 0.2])
LEVELS = {"queue a": 400.0, "queue b": 60.0, "queue c": 15.0, "queue d": 1.0, "queue e": 0.2}
SHARES = {"rule a": (600, 0.4), "rule b": (80, 0.9), "rule c": (500, 0.002), "rule d": (9, 0.3)}


def world(seed: int, factor: float = 1.0) -> list[list[Row]]:
    """The rows of every day; on the last day the counts of queue b are multiplied."""
    rng = np.random.default_rng(seed)
    week = WEEK[[each.weekday() for each in DATES]]
    days: list[list[Row]] = [[] for _ in DATES]
    for place, (group, level) in enumerate(LEVELS.items()):
        mean = level * week
        mean[-1] *= factor if group == "queue b" else 1.0
        size = 12.0 if place % 2 else 1e6  # every second one spreads more than Poisson's
        counts = rng.negative_binomial(size, size / (size + mean))
        for rows, count in zip(days, counts, strict=True):
            rows.append(Row("volume", "queue", group, int(count), float(count)))
    for group, (n, rate) in SHARES.items():
        for rows in days:
            of = int(rng.poisson(n))
            if of:
                hits = int(rng.binomial(of, rate))
                rows.append(Row("automation", "region", group, of, hits / of, hits))
    for group in ("x", "y"):
        for rows in days:
            times = rng.lognormal(8, 1.2, 40)
            rows.append(Row("first_touch", "queue", group, 40, float(np.median(times))))
    return days


@lru_cache(maxsize=1)
def quiet() -> list[int]:
    """The number of alerts on the last day of each world in which nothing changes."""
    return [len(alerts(world(seed))) for seed in range(WORLDS)]


def alerts(days: list[list[Row]]) -> list[tuple[str, str, bool]]:
    history = dict(zip(DATES[:-1], days[:-1], strict=True))
    found = find_alerts(history, DATES[-1], days[-1])
    return [(each.measure, each.group, each.worse) for each in found]


def test_on_quiet_days_there_is_an_alert_as_rarely_as_stated() -> None:
    alarmed = sum(number > 0 for number in quiet())
    allowed = FALSE_ALARMS * WORLDS
    assert alarmed <= allowed + 2 * np.sqrt(allowed * (1 - FALSE_ALARMS))


def test_a_doubled_queue_is_told_and_nothing_else() -> None:
    told = [alerts(world(seed, factor=3.0)) for seed in range(20)]
    found = sum(("volume", "queue b", True) in each for each in told)
    assert found >= 17
    assert sum(len(each) for each in told) <= found + 3


@pytest.mark.parametrize("level", [0.3, 4.0, 30.0, 500.0])
def test_the_p_value_of_a_count_is_below_a_level_that_often_and_not_much_less(
    level: float,
) -> None:
    rng, rare, runs = np.random.default_rng(7), 0, 400
    for _ in range(runs):
        values = rng.poisson(level, DAYS)
        points = [Point(d, float(v), int(v)) for d, v in zip(DATES, values, strict=True)]
        unusual = compare(Kind.COUNT, points[:-1], points[-1])
        assert unusual is not None
        rare += unusual.p < 0.05
    assert rare / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert level < 5 or rare / runs >= 0.01


def test_too_short_a_past_is_compared_with_nothing() -> None:
    points = [Point(each, 5.0, 5) for each in DATES[: FEWEST_DAYS - 1]]
    assert compare(Kind.COUNT, points, Point(DATES[-1], 500.0, 500)) is None


def test_an_outbreak_in_the_past_does_not_widen_the_band() -> None:
    values = [20 + (n * 7) % 5 for n in range(DAYS)]
    values[10] = values[17] = 900
    points = [Point(d, float(v), v) for d, v in zip(DATES, values, strict=True)]
    unusual = compare(Kind.COUNT, points[:-1], Point(DATES[-1], 60.0, 60))
    assert unusual is not None
    assert unusual.p < 1e-4


def test_a_queue_that_fell_silent_is_told() -> None:
    days = world(3)
    days[-1] = [row for row in days[-1] if row.group != "queue a"]
    assert ("volume", "queue a", True) in alerts(days)
