"""Whether rates have moved between two rounds, held against the number of comparisons made.

Rates are weighted by the design, so that a round which drew more where errors are frequent is not
taken for one in which there are more of them.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, sqrt
from statistics import NormalDist
from typing import Final

from casework.qa.weighted import Unit, ratio

#: Below this many expected units in a cell the normal approximation is not used: Cochran (1954).
SMALLEST_CELL: Final = 5


class Correction(StrEnum):
    """What many comparisons are held to: no false alarm at all, or a share of the alarms."""

    HOLM = "holm"  # the chance of any false alarm: Holm (1979)
    BENJAMINI_HOCHBERG = "bh"  # the expected share of false alarms: Benjamini & Hochberg (1995)


@dataclass(frozen=True, slots=True)
class Counted:
    """Errors among units: of a simple sample, or of one that would say as much as a weighted one.

    ``units`` is how many were looked at in fact.
    """

    hits: float
    n: float
    units: int = 0

    @property
    def rate(self) -> float:
        """The share of errors."""
        return self.hits / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """One comparison: both rates, the test's p value, and that after correction."""

    name: str
    before: Counted
    after: Counted
    change: float
    p: float
    adjusted_p: float
    moved: bool
    method: str
    source: str


def effective(units: Iterable[Unit], sizes: Mapping[Hashable, int]) -> Counted:
    """Errors and units of a simple sample that would say as much as a stratified one.

    No finite population correction: the question is whether work has changed, not whether two
    finished days differ. Where the variance cannot be told, the weights' spread stands in.

    Source: Rao & Scott (1992), Biometrics 48; Kish (1965), Survey Sampling, section 11.7; without
    the correction as Cochran (1977), section 2.14.
    """
    found = ratio(units, sizes, finite=False)
    if found is None:
        return Counted(0, 0)
    n = found.spread_size
    if found.error > 0 and 0 < found.rate < 1:
        n = found.rate * (1 - found.rate) / found.error**2
    return Counted(found.rate * n, n, found.counted)


def compare_rates(before: Counted, after: Counted) -> tuple[float, str, str]:
    """The two-sided p value that both rates are one, with the test's name and source.

    The pooled two-proportion z test; Fisher's exact test where an expected cell is small.
    """
    total, hits = before.n + after.n, before.hits + after.hits
    cells = [n * share for n in (before.n, after.n) for share in (hits, total - hits)]
    if min(before.n, after.n) == 0 or hits in (0, total):
        return 1.0, "none: nothing to compare", ""
    if min(cells) / total < SMALLEST_CELL:
        # SciPy takes a second to import, and most commands compute nothing.
        from scipy.stats import fisher_exact

        table = [_whole(each) for each in (before, after)]
        return float(fisher_exact(table)[1]), "Fisher's exact test", "Fisher 1935"
    pooled = hits / total
    error = sqrt(pooled * (1 - pooled) * (1 / before.n + 1 / after.n))
    z = (after.rate - before.rate) / error
    p = 2 * NormalDist().cdf(-abs(z))
    return p, "two-proportion z test, pooled", "Fleiss, Levin & Paik 2003, section 3.2"


def adjusted(p_values: Sequence[float], correction: Correction) -> list[float]:
    """P values after correction for their number, in the order given."""
    if correction is Correction.BENJAMINI_HOCHBERG:
        if not p_values:
            return []
        from scipy.stats import false_discovery_control

        return [float(p) for p in false_discovery_control(p_values, method="bh")]
    result, highest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        result[place] = highest
    return result


def drift(
    before: Mapping[str, Counted],
    after: Mapping[str, Counted],
    *,
    correction: Correction = Correction.HOLM,
    level: float = 0.05,
) -> list[Drift]:
    """Compare every group that both rounds have; ``moved`` holds at the corrected level.

    Source: Holm (1979), Scand. J. Statist. 6; Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57.
    """
    names = sorted(before.keys() & after.keys())
    tests = [compare_rates(before[name], after[name]) for name in names]
    corrected = adjusted([p for p, _, _ in tests], correction)
    return [
        Drift(
            name=name,
            before=before[name],
            after=after[name],
            change=after[name].rate - before[name].rate,
            p=p,
            adjusted_p=held,
            moved=held < level,
            method=f"{method}; {correction} correction over {len(names)} comparisons",
            source=source,
        )
        for name, (p, method, source), held in zip(names, tests, corrected, strict=True)
    ]


def _whole(counted: Counted) -> list[int]:
    """Errors and others in whole numbers, never more of them than there were."""
    n = floor(counted.n + 1e-9)
    hits = round(counted.rate * n)
    return [hits, n - hits]
