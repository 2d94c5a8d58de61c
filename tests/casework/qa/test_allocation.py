"""Sharing a sample out among strata."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.qa.allocation import Layer, allocate, expected_margin, size_for
from casework.qa.intervals import sample_size
from casework.qa.plans import Method


def layers(*sizes: int, least: int = 0, **more: float) -> list[Layer]:
    return [Layer((str(n),), size, least, **more) for n, size in enumerate(sizes)]


def test_a_proportional_sample_mirrors_the_population() -> None:
    assert allocate(layers(700, 200, 100), Method.PROPORTIONAL, 50) == [35, 10, 5]


def test_a_fixed_sample_takes_as_many_of_each_as_there_are() -> None:
    assert allocate(layers(700, 20, 3), Method.FIXED, 25) == [25, 20, 3]


def test_neyman_takes_more_where_errors_vary_more() -> None:
    # Cochran (1977), section 5.5: in proportion to size times standard deviation, here 0.3 to 0.1.
    wide, narrow = Layer(("a",), 500, 0, error=0.1), Layer(("b",), 500, 0, error=0.0101)
    assert allocate([wide, narrow], Method.NEYMAN, 40) == [30, 10]


def test_risk_multiplies_a_share() -> None:
    severe, plain = Layer(("P0",), 100, 0, risk=4.0), Layer(("P4",), 400, 0)
    assert allocate([severe, plain], Method.PROPORTIONAL, 40) == [20, 20]


def test_the_least_of_each_comes_first_and_may_make_the_sample_larger() -> None:
    assert allocate(layers(5000, 30, 1, least=3), Method.PROPORTIONAL, 5) == [3, 3, 1]
    assert allocate(layers(5000, 30, least=3), Method.PROPORTIONAL, 50) == [47, 3]


populations = st.lists(
    st.builds(
        Layer,
        st.just(("x",)),
        st.integers(0, 400),
        st.integers(0, 5),
        st.floats(0.1, 10),
        st.floats(0.01, 0.5),
    ),
    min_size=1,
    max_size=8,
)


@given(populations, st.sampled_from(Method), st.integers(0, 2000))
def test_no_stratum_gives_more_than_it_has_nor_less_than_its_least(
    strata: list[Layer], method: Method, size: int
) -> None:
    numbers = allocate(strata, method, size)
    for layer, number in zip(strata, numbers, strict=True):
        assert min(layer.size, layer.least) <= number <= layer.size
    if method is not Method.FIXED:
        least = sum(min(layer.size, layer.least) for layer in strata)
        assert sum(numbers) == min(sum(layer.size for layer in strata), max(size, least))


@given(populations, st.integers(1, 500))
def test_a_larger_sample_is_never_expected_to_be_less_precise(
    strata: list[Layer], size: int
) -> None:
    drawn = [allocate(strata, Method.PROPORTIONAL, n) for n in (size, 2 * size, 10_000)]
    margins = [expected_margin(strata, numbers, 0.95) for numbers in drawn]
    # Rounding to whole decisions may cost a hair.
    assert all(b <= a * 1.05 + 1e-9 for a, b in pairwise(margins))
    assert margins[-1] == 0.0


def test_one_stratum_needs_what_the_formula_for_a_simple_sample_says() -> None:
    [layer] = layers(10_000, error=0.5)
    needed = size_for([layer], Method.PROPORTIONAL, 0.02, 0.95)
    assert needed == pytest.approx(sample_size(0.02, population=10_000), abs=1)
    assert size_for([layer], Method.PROPORTIONAL, 0.0, 0.95) == 10_000


def test_the_size_that_is_told_is_the_one_that_would_be_drawn() -> None:
    assert size_for(layers(50, 50, least=10, error=0.05), Method.PROPORTIONAL, 0.5, 0.95) == 20
    assert size_for(layers(50, 50, error=0.05), Method.FIXED, 0.05, 0.95) == pytest.approx(
        21, abs=3
    )


def test_a_stratum_that_is_not_drawn_from_leaves_the_precision_unknown() -> None:
    assert expected_margin(layers(100, 100), [10, 0], 0.95) == float("inf")
    assert expected_margin([], [], 0.95) == 0.0
