"""Whether rates have moved between two rounds, held against the number of comparisons made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist
from typing import Final

#: Below this many expected units in a cell the normal approximation is not used: Cochran (1954).
SMALLEST_CELL: Final = 5


class Correction(StrEnum):
    """What many comparisons are held to: no false alarm at all, or a share of the alarms."""

    HOLM = "holm"  # the chance of any false alarm: Holm (1979)
    BENJAMINI_HOCHBERG = "bh"  # the expected share of false alarms: Benjamini & Hochberg (1995)


@dataclass(frozen=True, slots=True)
class Counted:
    """Errors among the units that were reviewed."""

    hits: int
    n: int


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

        table = [[each.hits, each.n - each.hits] for each in (before, after)]
        return float(fisher_exact(table)[1]), "Fisher's exact test", "Fisher 1935"
    pooled = hits / total
    error = sqrt(pooled * (1 - pooled) * (1 / before.n + 1 / after.n))
    z = (after.hits / after.n - before.hits / before.n) / error
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
            change=_rate(after[name]) - _rate(before[name]),
            p=p,
            adjusted_p=held,
            moved=held < level,
            method=f"{method}; {correction} correction over {len(names)} comparisons",
            source=source,
        )
        for name, (p, method, source), held in zip(names, tests, corrected, strict=True)
    ]


def _rate(counted: Counted) -> float:
    return counted.hits / counted.n if counted.n else 0.0
