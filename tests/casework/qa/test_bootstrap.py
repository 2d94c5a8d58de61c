"""The interval of Krippendorff's alpha: the same alpha as the library's, and covering as stated."""

import random

import krippendorff
import pytest

from casework.qa.agreement import krippendorff_alpha
from casework.qa.bootstrap import alpha_interval, alphas
from casework.qa.ratings import Level, Rating, Ratings, gather

#: Shares of the values that are given where a rater guesses.
GUESSED = {"1": 0.6, "2": 0.3, "3": 0.1}


def rated(units: int, skill: float, chance: random.Random, level: Level = Level.NOMINAL) -> Ratings:
    """Three raters: each knows a unit's value with a chance of ``skill``, or guesses as all do.

    Two then agree by skill with a chance of its square, so the population's alpha is that square.
    """

    def guess() -> str:
        return chance.choices(list(GUESSED), list(GUESSED.values()))[0]

    ratings = []
    for unit in range(units):
        value = guess()
        for rater in ("a", "b", "c"):
            given = value if chance.random() < skill else guess()
            ratings.append(Rating(str(unit), rater, given))
    return gather(ratings, level)


@pytest.mark.parametrize("level", list(Level))
def test_alpha_of_weighted_units_is_the_librarys(level: Level) -> None:
    found = rated(40, 0.7, random.Random(1), level)
    rows = found.counts
    once, twice = [1] * len(rows), [2 if n % 3 == 0 else n % 2 for n in range(len(rows))]
    repeated = [row for row, times in zip(rows, twice, strict=True) for _ in range(times)]
    expected = [
        krippendorff.alpha(
            value_counts=each,
            value_domain=[1, 2, 3] if level is Level.NOMINAL else found.categories,
            level_of_measurement=level.value,
        )
        for each in (rows, repeated)
    ]
    assert alphas(rows, [once, twice], found.categories, level) == pytest.approx(expected)


def test_the_interval_covers_at_its_stated_rate_in_simulation() -> None:
    chance, skill, rounds, covered = random.Random(20260302), 0.8, 300, 0
    for _ in range(rounds):
        limits = alpha_interval(rated(80, skill, chance), Level.NOMINAL, 0.95, draws=400)
        assert limits is not None
        covered += limits[0] <= skill**2 <= limits[1]
    # 95 % less what 300 rounds and 80 units leave to chance; an interval for show would cover all.
    assert 0.91 <= covered / rounds <= 0.99


def test_the_same_ratings_give_the_same_limits_and_more_of_them_closer_ones() -> None:
    few, many = (
        krippendorff_alpha(rated(n, 0.8, random.Random(3)), Level.NOMINAL) for n in (30, 480)
    )
    assert few == krippendorff_alpha(rated(30, 0.8, random.Random(3)), Level.NOMINAL)
    widths = [each.high - each.low for each in (few, many)]  # type: ignore[operator]
    assert widths[1] < widths[0] / 2


def test_one_unit_or_one_value_gives_no_interval() -> None:
    assert alpha_interval(rated(1, 0.5, random.Random(1)), Level.NOMINAL, 0.95) is None
    same = gather([Rating(str(n), r, "x") for n in range(9) for r in "ab"], Level.NOMINAL)
    assert alpha_interval(same, Level.NOMINAL, 0.95) is None
