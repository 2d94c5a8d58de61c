"""Drift between rounds: the tests against textbooks, the corrections against their papers."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from casework.qa.drift import Correction, Counted, adjusted, compare_rates, drift, effective
from casework.qa.weighted import Unit

# Benjamini & Hochberg (1995), section 3.2: fifteen p values of a trial on myocardial infarction.
TRIAL = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.000,
]


def test_the_trial_of_benjamini_and_hochberg_keeps_four_by_theirs_and_three_by_holm() -> None:
    kept = {each: sum(p <= 0.05 for p in adjusted(TRIAL, each)) for each in Correction}
    assert kept == {Correction.BENJAMINI_HOCHBERG: 4, Correction.HOLM: 3}


def test_fisher_tastes_tea() -> None:
    # Fisher (1935): eight cups, three of four told rightly; two-sided p = 0.4857.
    p, method, _ = compare_rates(Counted(3, 4), Counted(1, 4))
    assert (p, method) == (pytest.approx(34 / 70), "Fisher's exact test")


def test_two_large_proportions_are_compared_by_z() -> None:
    # The square of this z is the chi-squared statistic of the two-by-two table.
    p, method, _ = compare_rates(Counted(15, 100), Counted(30, 100))
    assert method.startswith("two-proportion z test")
    assert p == pytest.approx(chi2_contingency([[15, 85], [30, 70]], correction=False).pvalue)


def test_nothing_moves_where_nothing_was_found() -> None:
    p, method, _ = compare_rates(Counted(0, 50), Counted(0, 80))
    assert (p, method) == (1.0, "none: nothing to compare")


def test_only_groups_of_both_rounds_are_compared_and_each_says_how() -> None:
    before = {"ana": Counted(5, 200), "ben": Counted(6, 200), "gone": Counted(1, 9)}
    after = {"ana": Counted(40, 200), "ben": Counted(7, 200), "new": Counted(1, 9)}
    ana, ben = drift(before, after)
    assert (ana.name, ana.moved, ben.name, ben.moved) == ("ana", True, "ben", False)
    assert ana.change == pytest.approx(35 / 200)
    assert "holm correction over 2 comparisons" in ana.method


@given(st.lists(st.floats(0, 1), max_size=12), st.sampled_from(Correction))
def test_a_correction_never_makes_a_p_value_smaller_and_keeps_their_order(
    p_values: list[float], correction: Correction
) -> None:
    held = adjusted(p_values, correction)
    assert all(p - 1e-12 <= after <= 1 for p, after in zip(p_values, held, strict=True))
    ordered = [after for _, after in sorted(zip(p_values, held, strict=True))]
    assert all(a <= b + 1e-12 for a, b in pairwise(ordered))


SIZES = {"usual": 900, "severe": 100}
RATES = {"usual": 0.05, "severe": 0.30}


def drawn(chance: random.Random, sampled: dict[str, int]) -> list[Unit]:
    """A stratified sample of work that does not change."""
    return [
        Unit(name, chance.random() < RATES[name]) for name, n in sampled.items() for _ in range(n)
    ]


def test_a_round_that_draws_elsewhere_is_not_taken_for_one_with_more_errors() -> None:
    chance, rounds, weighted, plain = random.Random(20260302), 300, 0, 0
    for _ in range(rounds):
        # As many in both, but the second looks where errors are frequent.
        samples = [drawn(chance, each) for each in ({"usual": 150, "severe": 50},) * 2]
        samples[1] = drawn(chance, {"usual": 100, "severe": 100})
        [held] = drift(*({"all": effective(units, SIZES)} for units in samples))
        counted = [Counted(sum(u.hit for u in units), len(units)) for units in samples]
        weighted += held.moved
        plain += compare_rates(*counted)[0] < 0.05
    assert weighted / rounds <= 0.05 + 3 * (0.05 * 0.95 / rounds) ** 0.5
    assert plain / rounds > 0.3, "unweighted, the same work seems to get worse"


def test_a_real_change_is_found_through_the_weights() -> None:
    before = [Unit("usual", n < 6) for n in range(120)] + [
        Unit("severe", n < 18) for n in range(60)
    ]
    after = [Unit("usual", n < 24) for n in range(120)] + [
        Unit("severe", n < 18) for n in range(60)
    ]
    [found] = drift({"all": effective(before, SIZES)}, {"all": effective(after, SIZES)})
    assert found.moved
    assert found.change == pytest.approx(0.9 * 18 / 120)
    assert (found.before.units, found.before.rate) == (180, pytest.approx(0.9 * 0.05 + 0.1 * 0.3))


def test_a_simple_sample_says_as_much_as_it_has_units() -> None:
    found = effective([Unit("all", n < 5) for n in range(50)], {"all": 50})
    # The variance divides by n - 1, so a unit is lost; all of a population were looked at, and
    # still its next day may differ.
    assert (found.hits, found.n) == (pytest.approx(4.9), pytest.approx(49))
    assert effective([Unit("all", False)] * 9, {"all": 90}).n == 9
