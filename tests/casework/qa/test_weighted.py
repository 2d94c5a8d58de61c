"""Stratified and design-weighted rates against textbooks, and their coverage by simulation."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.qa.weighted import StratumSummary, Unit, proportion_of, stratified, weighted_rate

# Lohr (2010), Sampling: Design and Analysis, 2nd ed., example 3.2: acres of farms by region.
FARMS = [
    StratumSummary(1054, 103, 300_504.16, 29_618_183_543),
    StratumSummary(220, 21, 97_629.81, 7_647_472_708),
    StratumSummary(1382, 135, 211_315.04, 53_587_487_856),
    StratumSummary(422, 41, 662_295.51, 396_185_950_266),
]

# The same, example 3.4: women among the members of seven learned societies.
SOCIETIES = [
    (9100, 636, 0.38),
    (1950, 451, 0.27),
    (5500, 481, 0.18),
    (10850, 611, 0.19),
    (2100, 493, 0.36),
    (5500, 575, 0.13),
    (9000, 588, 0.26),
]


def test_the_farms_of_the_textbook_come_out_with_their_standard_error() -> None:
    found = stratified(FARMS)
    assert found.value is not None
    assert found.standard_error is not None
    assert found.value * 3078 == pytest.approx(909_736_035, rel=1e-6)
    assert found.standard_error * 3078 == pytest.approx(50_417_248, rel=1e-6)
    assert found.n == 300


def test_the_societies_of_the_textbook_come_out_with_their_standard_error() -> None:
    strata = [
        StratumSummary(size, n, share, share * (1 - share) * n / (n - 1))
        for size, n, share in SOCIETIES
    ]
    found = stratified(strata)
    assert found.value == pytest.approx(0.2465, abs=5e-5)
    assert found.standard_error == pytest.approx(0.0071, abs=5e-5)


def test_a_stratum_nobody_looked_at_is_refused() -> None:
    with pytest.raises(InputError, match="10 units has 0 in the sample"):
        stratified([proportion_of(10, 0, 0), proportion_of(10, 5, 1)])


def test_where_everything_was_looked_at_there_is_no_error_left() -> None:
    found = stratified([proportion_of(20, 20, 5), proportion_of(10, 10, 0)])
    assert (found.value, found.standard_error) == (pytest.approx(1 / 6), 0.0)


def test_the_weighted_rate_of_all_is_the_stratified_mean() -> None:
    units = units_of({"a": (30, 6), "b": (10, 5)})
    found = weighted_rate(units, {"a": 900, "b": 50})
    whole = stratified([proportion_of(900, 30, 6), proportion_of(50, 10, 5)])
    assert found.value == pytest.approx(whole.value)
    assert found.standard_error == pytest.approx(whole.standard_error)


def test_a_heavily_sampled_stratum_does_not_count_for_more() -> None:
    units = units_of({"risky": (50, 25), "plain": (10, 0)})
    found = weighted_rate(units, {"risky": 50, "plain": 950})
    assert found.value == pytest.approx(25 / 1000)


def test_only_units_that_count_are_asked_about() -> None:
    units = [
        Unit("a", True, True),
        Unit("a", False, True),
        Unit("a", True, False),
        Unit("b", False, True),
    ]
    found = weighted_rate(units, {"a": 30, "b": 5})
    assert found.n == 3
    assert found.value == pytest.approx(10 / 25)


def test_no_error_found_does_not_mean_no_error() -> None:
    found = weighted_rate(units_of({"a": (60, 0)}), {"a": 6000})
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 60), rel=1e-6)


def test_nothing_reviewed_gives_no_rate() -> None:
    assert weighted_rate([], {}).value is None


sizes = st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(1, 40), min_size=1)


@given(sizes, st.data())
def test_weights_sum_to_the_population(strata: dict[str, int], data: st.DataObject) -> None:
    units = [
        Unit(name, True)
        for name, size in strata.items()
        for _ in range(data.draw(st.integers(1, size)))
    ]
    taken = Counter(unit.stratum for unit in units)
    weights = [strata[str(unit.stratum)] / taken[unit.stratum] for unit in units]
    assert sum(weights) == pytest.approx(sum(strata.values()))
    assert weighted_rate(units, strata).value == pytest.approx(1.0)


@given(sizes, st.data())
def test_a_rate_lies_in_its_interval_between_0_and_1(
    strata: dict[str, int], data: st.DataObject
) -> None:
    units = [
        Unit(name, data.draw(st.booleans()), data.draw(st.booleans()))
        for name, size in strata.items()
        for _ in range(data.draw(st.integers(1, size)))
    ]
    found = weighted_rate(units, strata)
    if found.value is not None:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value + 1e-9
        assert found.value - 1e-9 <= found.high <= 1


def test_the_interval_covers_at_its_stated_rate_in_simulation() -> None:
    # A rare error, unequal strata and unequal fractions: where a normal interval falls short.
    population = {"people": [0.10] * 600, "machine": [0.02] * 4000, "severe": [0.20] * 150}
    sampled = {"people": 60, "machine": 120, "severe": 50}
    chance, covered, rounds = random.Random(20260302), 0, 400
    sizes = {name: len(rates) for name, rates in population.items()}
    for _ in range(rounds):
        errors = {
            name: [chance.random() < rate for rate in rates] for name, rates in population.items()
        }
        truth = sum(map(sum, errors.values())) / sum(sizes.values())
        units = [
            Unit(name, hit)
            for name, hits in errors.items()
            for hit in chance.sample(hits, sampled[name])
        ]
        found = weighted_rate(units, sizes)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    # 95 % less three standard errors of 400 rounds; the interval may be on the safe side.
    assert covered / rounds >= 0.95 - 3 * (0.95 * 0.05 / rounds) ** 0.5


def units_of(found: dict[str, tuple[int, int]]) -> list[Unit]:
    """Units by stratum: how many were reviewed, and how many of them were hits."""
    return [Unit(name, number < hits) for name, (n, hits) in found.items() for number in range(n)]
