"""How far raters agree beyond chance: Cohen's and Fleiss' kappa, Krippendorff's alpha, AC1."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import combinations
from math import sqrt
from typing import Final

from casework.errors import InputError
from casework.qa.bootstrap import DRAWS, alpha_interval
from casework.qa.estimates import CONFIDENCE, Estimate, around
from casework.qa.intervals import wilson
from casework.qa.ratings import Level, Ratings

_BOUNDS: Final = (-1.0, 1.0)


class Weights(StrEnum):
    """How much a disagreement between two ordered categories counts."""

    UNWEIGHTED = "unweighted"  # all of them the same
    LINEAR = "linear"  # by their distance
    QUADRATIC = "quadratic"  # by its square


def cohen_kappa(
    table: Sequence[Sequence[int]],
    weights: Weights = Weights.UNWEIGHTED,
    *,
    population: str = "",
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Agreement of two raters from their square table of counts, with its standard error.

    Source: Cohen (1960), Educ. Psychol. Meas. 20; Cohen (1968), Psychol. Bull. 70; the standard
    error by Fleiss, Cohen & Everitt (1969), Psychol. Bull. 72.

    Raises:
        InputError: the table is not square.
    """
    size = len(table)
    if any(len(row) != size for row in table):
        raise InputError("kappa needs a square table", hint="one row and column per category")
    n = sum(map(sum, table))
    method = f"Cohen's kappa, {weights}"
    source = "Cohen 1960, 1968; standard error by Fleiss, Cohen & Everitt 1969"
    shares = [[count / n for count in row] for row in table] if n else []
    rows = [sum(row) for row in shares]
    columns = [sum(column) for column in zip(*shares, strict=True)]
    expected = sum(
        _agreement(weights, i, j, size) * rows[i] * columns[j]
        for i in range(len(rows))
        for j in range(len(rows))
    )
    if not n or expected >= 1:
        # One category alone was ever given: agreement beyond chance is not defined.
        return Estimate(None, None, None, n, method, source, population, confidence)
    observed = sum(
        _agreement(weights, i, j, size) * shares[i][j] for i in range(size) for j in range(size)
    )
    kappa = (observed - expected) / (1 - expected)
    error = _kappa_error(shares, rows, columns, weights, kappa, expected, n)
    low, high = around(kappa, error, confidence, _BOUNDS)
    return Estimate(kappa, low, high, n, method, source, population, confidence, error)


def _agreement(weights: Weights, i: int, j: int, size: int) -> float:
    """How much of an agreement a pair of categories is, from 0 to 1."""
    if weights is Weights.UNWEIGHTED or size < 2:
        return float(i == j)
    distance = abs(i - j) / (size - 1)
    return 1 - (distance if weights is Weights.LINEAR else distance**2)


def _kappa_error(
    shares: Sequence[Sequence[float]],
    rows: Sequence[float],
    columns: Sequence[float],
    weights: Weights,
    kappa: float,
    expected: float,
    n: int,
) -> float:
    size = len(rows)

    def weight(i: int, j: int) -> float:
        return _agreement(weights, i, j, size)

    of_row = [sum(columns[j] * weight(i, j) for j in range(size)) for i in range(size)]
    of_column = [sum(rows[i] * weight(i, j) for i in range(size)) for j in range(size)]
    spread = sum(
        shares[i][j] * (weight(i, j) - (of_row[i] + of_column[j]) * (1 - kappa)) ** 2
        for i in range(size)
        for j in range(size)
    )
    variance = (spread - (kappa - expected * (1 - kappa)) ** 2) / n
    return sqrt(max(0.0, variance)) / (1 - expected)


def fleiss_kappa(
    ratings: Ratings, *, population: str = "", confidence: float = CONFIDENCE
) -> Estimate:
    """Agreement of any number of raters who need not be the same for each item.

    With as many ratings for each item it is Fleiss' own; items with fewer count as Gwet has it.

    Source: Fleiss (1971), Psychol. Bull. 76; missing ratings and standard error by Gwet (2014),
    Handbook of Inter-Rater Reliability, 4th ed., chapters 2 and 5.
    """
    method, source = "Fleiss' kappa", "Fleiss 1971; standard error by Gwet 2014"

    def by_chance(shares: Sequence[float]) -> tuple[float, list[float]]:
        return sum(share**2 for share in shares), list(shares)

    return _chance_corrected(ratings, by_chance, method, source, population, confidence)


def gwet_ac1(ratings: Ratings, *, population: str = "", confidence: float = CONFIDENCE) -> Estimate:
    """Agreement that stays meaningful where nearly all items fall into one category.

    Source: Gwet (2008), Brit. J. Math. Stat. Psychol. 61; missing ratings as in Gwet (2014).
    """
    method, source = "Gwet's AC1", "Gwet 2008, 2014"

    def by_chance(shares: Sequence[float]) -> tuple[float, list[float]]:
        others = max(1, len(shares) - 1)
        each = [(1 - share) / others for share in shares]
        return sum(share * other for share, other in zip(shares, each, strict=True)), each

    return _chance_corrected(ratings, by_chance, method, source, population, confidence)


def _chance_corrected(
    ratings: Ratings,
    by_chance: Callable[[Sequence[float]], tuple[float, list[float]]],
    method: str,
    source: str,
    population: str,
    confidence: float,
) -> Estimate:
    """Agreement of pairs, less what chance gives: ``by_chance`` has it from categories' shares.

    It also says how much each category adds, from which the standard error is linearised.
    """
    counts = ratings.counts
    n, paired = len(counts), [row for row in counts if sum(row) > 1]
    nothing = Estimate(None, None, None, len(paired), method, source, population, confidence)
    if not paired:
        return nothing
    shares = [sum(row[k] / sum(row) for row in counts) / n for k in range(len(ratings.categories))]
    expected, adding = by_chance(shares)
    if expected >= 1:
        return nothing
    observed = sum(map(_pairs_agreeing, paired)) / len(paired)
    value = (observed - expected) / (1 - expected)
    terms = [
        _term(row, n / len(paired), value, expected, adding) - value for row in counts if sum(row)
    ]
    error = sqrt(sum(term**2 for term in terms) / (n * (n - 1))) if n > 1 else 0.0
    low, high = around(value, error, confidence, _BOUNDS)
    return Estimate(value, low, high, len(paired), method, source, population, confidence, error)


def _pairs_agreeing(row: Sequence[int]) -> float:
    raters = sum(row)
    return sum(count * (count - 1) for count in row) / (raters * (raters - 1))


def _term(
    row: Sequence[int], inflation: float, value: float, expected: float, adding: Sequence[float]
) -> float:
    """One item's part in the coefficient, with its part in the agreement by chance."""
    own = inflation * (_pairs_agreeing(row) - expected) / (1 - expected) if sum(row) > 1 else 0.0
    chance = sum(count * each for count, each in zip(row, adding, strict=True)) / sum(row)
    return own - 2 * (1 - value) * (chance - expected) / (1 - expected)


def krippendorff_alpha(
    ratings: Ratings, level: Level, *, population: str = "", confidence: float = CONFIDENCE
) -> Estimate:
    """Agreement of any number of raters with any cells missing, at the level of the values.

    1 where all agree and more than one value was given. The interval is a bootstrap's over units,
    from a fixed seed.

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; the interval as
    ``casework.qa.bootstrap`` says.
    """
    method = f"Krippendorff's alpha, {level}; percentile bootstrap over units, {DRAWS} draws"
    source = "Krippendorff 2011; Efron & Tibshirani 1993; Zapf et al. 2016"
    paired = sum(sum(row) > 1 for row in ratings.counts)
    used = {
        value for value, column in zip(ratings.categories, _columns(ratings), strict=True) if column
    }
    if paired == 0 or len(used) < 2:
        return Estimate(None, None, None, paired, method, source, population, confidence)
    # NumPy and this take half a second to import, and most commands compute nothing.
    import krippendorff

    value = krippendorff.alpha(
        value_counts=ratings.counts,
        value_domain=list(range(len(ratings.categories)))
        if level is Level.NOMINAL
        else ratings.categories,
        level_of_measurement=level.value,
    )
    low, high = alpha_interval(ratings, level, confidence) or (None, None)
    return Estimate(float(value), low, high, paired, method, source, population, confidence)


def _columns(ratings: Ratings) -> list[int]:
    """How often each category was given where there is another rating to compare it with."""
    paired = [row for row in ratings.counts if sum(row) > 1]
    return [sum(row[k] for row in paired) for k in range(len(ratings.categories))]


def observed_agreement(
    ratings: Ratings, *, population: str = "", confidence: float = CONFIDENCE
) -> Estimate:
    """The share of pairs of ratings of an item that agree, with no correction for chance.

    With two ratings of each item it is a simple proportion, and has a score interval.
    """
    paired = [row for row in ratings.counts if sum(row) > 1]
    if paired and all(sum(row) == 2 for row in paired):
        agreeing = sum(max(row) == 2 for row in paired)
        return wilson(agreeing, len(paired), population=population, confidence=confidence)
    value = sum(map(_pairs_agreeing, paired)) / len(paired) if paired else None
    method, source = "share of agreeing pairs", "Fleiss 1971"
    return Estimate(value, None, None, len(paired), method, source, population, confidence)


def agreement(
    ratings: Ratings, level: Level, *, population: str = "", confidence: float = CONFIDENCE
) -> dict[str, Estimate]:
    """Every coefficient that the ratings allow; kappa where there are two raters."""
    found = {
        "observed": observed_agreement(ratings, population=population, confidence=confidence),
        "fleiss_kappa": fleiss_kappa(ratings, population=population, confidence=confidence),
        "gwet_ac1": gwet_ac1(ratings, population=population, confidence=confidence),
        "krippendorff_alpha": krippendorff_alpha(
            ratings, level, population=population, confidence=confidence
        ),
    }
    if len(ratings.raters) == 2:
        table = ratings.table(*ratings.raters)
        kinds = list(Weights) if level is not Level.NOMINAL else [Weights.UNWEIGHTED]
        for kind in kinds:
            name = "cohen_kappa" if kind is Weights.UNWEIGHTED else f"cohen_kappa_{kind}"
            found[name] = cohen_kappa(table, kind, population=population, confidence=confidence)
    return found


def pairwise_kappa(
    ratings: Ratings, *, population: str = "", confidence: float = CONFIDENCE
) -> dict[tuple[str, str], Estimate]:
    """Cohen's kappa of every two raters who rated an item in common."""
    found = {}
    for first, second in combinations(ratings.raters, 2):
        table = ratings.table(first, second)
        if sum(map(sum, table)):
            found[first, second] = cohen_kappa(
                table, population=f"{first}, {second}: {population}", confidence=confidence
            )
    return found
