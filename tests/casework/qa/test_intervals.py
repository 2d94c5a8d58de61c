"""Intervals of a proportion against published tables, and their coverage."""

from math import comb

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.qa.intervals import clopper_pearson, exact_limits, sample_size, wilson

# Newcombe (1998), Statistics in Medicine 17, table I: methods 3 (score) and 5 (Clopper-Pearson).
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("hits", "n", "score", "exact"), NEWCOMBE)
def test_the_intervals_are_those_newcombe_printed(
    hits: int, n: int, score: tuple[float, float], exact: tuple[float, float]
) -> None:
    first, second = wilson(hits, n), clopper_pearson(hits, n)
    assert (first.low, first.high) == pytest.approx(score, abs=5e-5)
    assert (second.low, second.high) == pytest.approx(exact, abs=5e-5)
    assert first.value == second.value == hits / n


def test_an_estimate_names_its_method_its_source_and_its_population() -> None:
    found = wilson(3, 50, population="queue fraud, March")
    assert (found.method, found.source) == ("Wilson score interval", "Wilson 1927")
    assert (found.population, found.n, found.confidence) == ("queue fraud, March", 50, 0.95)


def test_nothing_is_estimated_from_nothing() -> None:
    found = clopper_pearson(0, 0)
    assert (found.value, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize(("hits", "n"), [(-1, 5), (6, 5)])
def test_more_hits_than_units_are_refused(hits: int, n: int) -> None:
    with pytest.raises(InputError, match="no proportion"):
        wilson(hits, n)


def test_a_confidence_of_a_hundred_per_cent_is_refused() -> None:
    with pytest.raises(InputError, match=r"0\.95|confidence"):
        wilson(1, 5, confidence=1.0)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.5])
def test_the_exact_interval_covers_at_least_at_its_rate_for_every_count(rate: float) -> None:
    assert coverage(rate, 60, clopper_pearson) >= 0.95


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.5])
def test_the_score_interval_covers_near_its_rate(rate: float) -> None:
    # Brown, Cai & DasGupta (2001): it swings about the stated rate, dipping near 0 and 1.
    assert 0.91 <= coverage(rate, 60, wilson) <= 0.985


def coverage(rate: float, n: int, interval: object) -> float:
    """The exact chance that an interval holds the rate, over all counts there can be."""
    covered = 0.0
    for hits in range(n + 1):
        found = interval(hits, n)  # type: ignore[operator]
        if found.low <= rate <= found.high:
            covered += comb(n, hits) * rate**hits * (1 - rate) ** (n - hits)
    return covered


def test_the_worst_case_at_two_points_takes_2401_units() -> None:
    assert sample_size(0.02) == 2401
    assert sample_size(0.05) == 385


def test_cochrans_island_takes_400_units_of_many_and_356_of_3200() -> None:
    # Cochran (1977), section 4.2 to 4.4: t = 2, five points around one half.
    twice = 0.954499736103642
    assert sample_size(0.05, confidence=twice) == 400
    assert sample_size(0.05, population=3200, confidence=twice) == 356


@given(st.integers(0, 100_000), st.floats(0.001, 0.5), st.floats(0.0, 1.0))
@example(1, 0.5, 0.0)
@example(1, 0.5, 1e-300)
def test_no_more_is_asked_for_than_there_is(there: int, margin: float, rate: float) -> None:
    few, many = sample_size(margin, rate, population=there), sample_size(margin, rate)
    assert few <= min(there, many)


@pytest.mark.parametrize(("margin", "rate"), [(0.0, 0.5), (1.0, 0.5), (0.02, 1.5)])
def test_a_margin_that_cannot_be_reached_is_refused(margin: float, rate: float) -> None:
    with pytest.raises(InputError, match="cannot be reached"):
        sample_size(margin, rate)


@given(st.integers(1, 200), st.data())
def test_limits_of_whole_numbers_are_the_exact_ones(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    exact = clopper_pearson(hits, n)
    assert exact_limits(hits / n, n, 0.95) == pytest.approx((exact.low, exact.high), abs=1e-9)
