"""Agreement beyond chance, against the figures that were published with each coefficient."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.errors import InputError
from casework.qa.agreement import (
    Weights,
    agreement,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    observed_agreement,
    pairwise_kappa,
)
from casework.qa.ratings import Level, Rating, Ratings, Value, gather
from tests.factories.ratings import of_matrix

# Fleiss (1971), table 1: 30 patients, 6 psychiatrists, 5 diagnoses; ratings of each patient.
PATIENTS = """
444444 222555 233335 555555 222444 113333 333355 113334 114444 555555
144444 124444 222333 144444 224445 333335 111455 111112 224444 133555
555555 244444 224555 114444 144445 222224 111155 224444 133333 555555
"""

# Krippendorff (2011), section C: 4 observers, 12 units, missing values.
OBSERVERS = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}


def patients() -> Ratings:
    return of_matrix([list(row) for row in PATIENTS.split()])


def observers() -> Ratings:
    columns = [column.split() for column in OBSERVERS.values()]
    rows: list[list[Value | None]] = [
        [None if cell == "." else float(cell) for cell in row] for row in zip(*columns, strict=True)
    ]
    return of_matrix(rows, list(OBSERVERS))


def test_fleiss_psychiatrists_agree_at_0_430() -> None:
    found = fleiss_kappa(patients())
    assert found.value == pytest.approx(0.4302445, abs=1e-7)
    assert found.n == 30


@pytest.mark.parametrize(
    ("level", "value"),
    [(Level.NOMINAL, 0.743), (Level.ORDINAL, 0.815), (Level.INTERVAL, 0.849)],
)
def test_krippendorffs_observers_agree_as_he_printed(level: Level, value: float) -> None:
    assert krippendorff_alpha(observers(), level).value == pytest.approx(value, abs=5e-4)


def test_gwets_handbook_has_the_same_observers_with_standard_errors() -> None:
    # Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed.; also in his package irrCAC.
    ac1, kappa = gwet_ac1(observers()), fleiss_kappa(observers())
    assert (ac1.value, ac1.standard_error) == pytest.approx((0.77544, 0.14295), abs=1e-5)
    assert (kappa.value, kappa.standard_error) == pytest.approx((0.76117, 0.15302), abs=1e-5)


def test_ac1_stays_high_where_kappa_collapses() -> None:
    # Gwet (2008), section 1: two raters, 125 items, nearly all in one category.
    pairs = ["++"] * 118 + ["+-"] * 5 + ["-+"] * 2
    ratings = of_matrix([list(pair) for pair in pairs])
    assert gwet_ac1(ratings).value == pytest.approx(0.9408, abs=1e-4)
    assert cohen_kappa(ratings.table("0", "1")).value == pytest.approx(-0.0234, abs=1e-4)


# SAS/STAT, PROC FREQ, agreement of two raters: kappa, its ASE and 95 % limits.
SAS = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]


@pytest.mark.parametrize(
    ("weights", "figures"),
    [
        (Weights.UNWEIGHTED, (0.4842, 0.1380, 0.2137, 0.7547)),
        (Weights.LINEAR, (0.4701, 0.1457, 0.1845, 0.7558)),
    ],
)
def test_kappa_and_its_standard_error_are_those_of_sas(
    weights: Weights, figures: tuple[float, ...]
) -> None:
    found = cohen_kappa(SAS, weights)
    shown = (found.value, found.standard_error, found.low, found.high)
    assert shown == pytest.approx(figures, abs=5e-5)


# Cohen (1960), table 1, in shares of 200; and the anxiety ratings of the R package irr.
COHEN = [[50, 26, 24], [24, 4, 32], [6, 30, 4]]
ANXIETY = ("36462424332333221334", "21443216111233113322")


def test_cohens_own_table_agrees_less_than_chance() -> None:
    assert cohen_kappa(COHEN).value == pytest.approx(-0.092, abs=5e-4)


@pytest.mark.parametrize(
    ("weights", "value"),
    [
        (Weights.UNWEIGHTED, -0.006289308),
        (Weights.LINEAR, 0.1459075),
        (Weights.QUADRATIC, 0.2520325),
    ],
)
def test_weighted_kappa_is_that_of_irr(weights: Weights, value: float) -> None:
    # irr leaves out category 5, which neither of these two gave, and numbers the rest.
    ratings = of_matrix([[a, b] for a, b in zip(*ANXIETY, strict=True)], ["b", "c"])
    assert cohen_kappa(ratings.table("b", "c"), weights).value == pytest.approx(value, abs=1e-6)


def test_quadratic_kappa_of_two_equal_margins_is_the_intraclass_correlation() -> None:
    # Fleiss & Cohen (1973): with equal margins it equals Pearson's r of the scores.
    table = [[10, 2, 0], [2, 10, 3], [0, 3, 10]]
    pairs = [(i, j) for i in range(3) for j in range(3) for _ in range(table[i][j])]
    mean = sum(i for i, _ in pairs) / len(pairs)
    covariance = sum((i - mean) * (j - mean) for i, j in pairs)
    variance = sum((i - mean) ** 2 for i, _ in pairs)
    assert cohen_kappa(table, Weights.QUADRATIC).value == pytest.approx(covariance / variance)


def test_one_category_alone_leaves_nothing_beyond_chance() -> None:
    same = of_matrix([["x", "x"], ["x", "x"]])
    found = agreement(same, Level.NOMINAL)
    assert found["observed"].value == 1.0
    assert found["cohen_kappa"].value is found["krippendorff_alpha"].value is None
    assert found["fleiss_kappa"].value is None


def test_kappa_is_there_for_two_raters_and_weighted_where_values_are_ordered() -> None:
    two = of_matrix([[1.0, 2.0], [2.0, 2.0], [3.0, 3.0]])
    assert "cohen_kappa_quadratic" in agreement(two, Level.ORDINAL)
    assert "cohen_kappa_quadratic" not in agreement(two, Level.NOMINAL)
    assert "cohen_kappa" not in agreement(observers(), Level.NOMINAL)
    assert set(pairwise_kappa(observers())) == {(a, b) for a in "ABC" for b in "BCD" if a < b}


def test_a_table_that_is_not_square_is_refused() -> None:
    with pytest.raises(InputError, match="square"):
        cohen_kappa([[1, 2], [3, 4], [5, 6]])


def test_two_values_of_one_rater_for_one_item_are_refused() -> None:
    with pytest.raises(InputError, match="two values"):
        gather([Rating("i", "a", "x"), Rating("i", "a", "y")], Level.NOMINAL)


@pytest.mark.parametrize("value", ["high", "nan", "inf", ""])
def test_an_ordinal_value_must_be_a_number(value: str) -> None:
    with pytest.raises(InputError, match="no number"):
        gather([Rating("i", "a", value)], Level.ORDINAL)


cells = st.lists(
    st.lists(st.sampled_from(["x", "y", "z", None]), min_size=3, max_size=3), min_size=2, max_size=8
)


@settings(max_examples=30)
@given(cells)
def test_no_coefficient_exceeds_1(rows: list[list[Value | None]]) -> None:
    for found in agreement(of_matrix(rows), Level.NOMINAL).values():
        assert found.value is None or found.value <= 1 + 1e-9


@settings(max_examples=30)
@given(st.lists(st.sampled_from("xyz"), min_size=2, max_size=9), st.integers(2, 4))
def test_full_agreement_is_1_by_every_coefficient(values: list[str], raters: int) -> None:
    found = agreement(of_matrix([[value] * raters for value in values]), Level.NOMINAL)
    alone = len(set(values)) == 1
    assert observed_agreement(of_matrix([[v] * raters for v in values])).value == 1
    for name in ("fleiss_kappa", "krippendorff_alpha"):
        value = found[name].value
        assert value is None if alone else value == pytest.approx(1.0)


@settings(max_examples=30)
@given(cells)
def test_the_names_and_the_order_of_raters_do_not_matter(rows: list[list[Value | None]]) -> None:
    turned = of_matrix([row[::-1] for row in rows], ["q", "r", "s"])
    for name, found in agreement(of_matrix(rows), Level.NOMINAL).items():
        assert agreement(turned, Level.NOMINAL)[name].value == (
            None if found.value is None else pytest.approx(found.value)
        )
