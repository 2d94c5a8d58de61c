"""Standardised rates: what they come to, limits that cover as stated, and what is missing."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from casework.qa.drift import Counted
from casework.qa.standardised import standardised

WEIGHTS = {"fraud": 0.2, "spam": 0.7, "threat": 0.1}


def counted(**cells: tuple[int, int]) -> dict[str, Counted]:
    return {name: Counted(hits, n, n) for name, (hits, n) in cells.items()}


def test_two_vendors_of_one_skill_and_another_mix_come_to_the_same() -> None:
    # Right in 60 % of fraud and 90 % of spam, both; one gets mostly fraud.
    one = standardised(counted(fraud=(54, 90), spam=(9, 10)), {"fraud": 0.5, "spam": 0.5})
    other = standardised(counted(fraud=(6, 10), spam=(81, 90)), {"fraud": 0.5, "spam": 0.5})
    assert one.estimate.value == pytest.approx(0.75)
    assert other.estimate.value == pytest.approx(0.75)
    assert 63 / 100 != 87 / 100, "as they are, one looks much worse"


def test_one_stratum_has_the_limits_of_clopper_and_pearson() -> None:
    found = standardised(counted(spam=(9, 40)), {"spam": 3.0}).estimate
    expected = binomtest(9, 40).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_limits_join_by_squares_of_their_distances() -> None:
    # Zou, Huang & Zhang (2009): L = p - root(sum of (w (p_i - l_i))^2), by hand from SciPy's l_i.
    cells = {"fraud": (8, 10), "spam": (15, 50)}
    found = standardised(counted(**cells), {"fraud": 0.25, "spam": 0.75}).estimate
    limits = [binomtest(*each).proportion_ci(0.95, method="exact") for each in cells.values()]
    low = 0.425 - ((0.25 * (0.8 - limits[0].low)) ** 2 + (0.75 * (0.3 - limits[1].low)) ** 2) ** 0.5
    assert (found.value, found.low) == (pytest.approx(0.425), pytest.approx(low))


def test_a_stratum_without_decisions_is_named_and_the_rest_carries_the_rate() -> None:
    found = standardised(counted(fraud=(5, 10), spam=(18, 20), other=(0, 9)), WEIGHTS)
    assert (found.missing, found.covered) == (("threat",), pytest.approx(0.9))
    assert found.estimate.value == pytest.approx((0.2 * 0.5 + 0.7 * 0.9) / 0.9)
    nothing = standardised({}, WEIGHTS)
    assert (nothing.estimate.value, nothing.covered, len(nothing.missing)) == (None, 0.0, 3)


def test_the_limits_cover_at_their_stated_rate_in_simulation() -> None:
    # Few decisions, and rates near 1: where normal limits would have no width.
    rates, sizes = (
        {"fraud": 0.85, "spam": 0.97, "threat": 0.9},
        {"fraud": 25, "spam": 40, "threat": 8},
    )
    truth = sum(WEIGHTS[name] * rate for name, rate in rates.items())
    chance, covered, rounds = random.Random(20260302), 0, 1000
    for _ in range(rounds):
        cells = {
            name: Counted(sum(chance.random() < rates[name] for _ in range(n)), n, n)
            for name, n in sizes.items()
        }
        found = standardised(cells, WEIGHTS).estimate
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    # 95 % less three standard errors; exact limits are on the safe side, but not for show.
    assert 0.93 <= covered / rounds <= 0.99


@given(
    st.dictionaries(
        st.sampled_from(sorted(WEIGHTS)),
        st.integers(1, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        min_size=1,
    )
)
def test_a_rate_lies_within_its_limits_and_between_its_strata(
    cells: dict[str, tuple[int, int]],
) -> None:
    found = standardised(counted(**cells), WEIGHTS).estimate
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    rates = [hits / n for hits, n in cells.values()]
    assert min(rates) - 1e-9 <= found.value <= max(rates) + 1e-9
