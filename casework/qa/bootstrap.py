"""The interval of Krippendorff's alpha, by drawing its units again and again."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from casework.qa.ratings import Level, Ratings

if TYPE_CHECKING:
    import numpy as np

#: How often the units are drawn; the ends of an interval are then good to about two digits.
DRAWS: Final = 2000


def alpha_interval(
    ratings: Ratings, level: Level, confidence: float, *, seed: int = 1, draws: int = DRAWS
) -> tuple[float, float] | None:
    """Percentile limits of alpha over samples of whole units, with replacement.

    The same ratings and seed give the same limits. None with fewer than two units that several
    rated, or where most samples hold one value alone, of which alpha is not defined.

    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13; units as what
    is drawn, and its coverage for alpha: Zapf, Castell, Morawietz & Karch (2016), BMC Med. Res.
    Methodol. 16:93.
    """
    rows = Counter(tuple(row) for row in ratings.counts if sum(row) > 1)
    units = sum(rows.values())
    if units < 2:
        return None
    # NumPy takes a good part of a second to import, and most commands compute nothing.
    import numpy as np

    # Units that were rated alike are drawn together: the same, and no larger for more of them.
    shares = np.array(list(rows.values())) / units
    drawn = np.random.default_rng(seed).multinomial(units, shares, size=draws)
    found = alphas(list(rows), drawn, ratings.categories, level)
    found = found[~np.isnan(found)]
    if len(found) < draws / 2:
        return None
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def alphas(
    rows: Sequence[Sequence[int]], weights: Any, categories: Sequence[Any], level: Level
) -> "np.ndarray[Any, Any]":
    """Alpha for each line of ``weights``: how often each of ``rows`` occurs.

    ``rows`` are counts of the categories for a unit. Not a number where one value alone was given.

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
    """
    import numpy as np

    counts = np.array(rows, dtype=float)
    raters = counts.sum(axis=1)
    pairs = np.einsum("ui,uj->uij", counts, counts) - np.einsum(
        "ui,ij->uij", counts, np.eye(len(counts[0]))
    )
    coincidences = np.tensordot(weights, pairs / (raters - 1)[:, None, None], axes=1)
    totals = coincidences.sum(axis=2)
    distances = _distances(totals, categories, level)
    n = totals.sum(axis=1)
    observed = (coincidences * distances).sum(axis=(1, 2))
    expected = (np.einsum("wi,wj->wij", totals, totals) * distances).sum(axis=(1, 2)) / (n - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray[Any, Any] = np.where(expected > 0, 1 - observed / expected, np.nan)
    return found


def _distances(totals: Any, categories: Sequence[Any], level: Level) -> Any:
    """How far apart categories are, squared; ordinal ones by how many values lie between them."""
    import numpy as np

    size = totals.shape[1]
    if level is Level.NOMINAL:
        return 1 - np.eye(size)
    if level is Level.INTERVAL:
        values = np.array(categories, dtype=float)
        return (values[:, None] - values[None, :]) ** 2
    ranks = np.cumsum(totals, axis=1) - totals / 2
    return (ranks[:, :, None] - ranks[:, None, :]) ** 2
