"""Rates that can be compared: as if everybody had the same mix of work."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from casework.qa.drift import Counted
from casework.qa.estimates import CONFIDENCE, Estimate
from casework.qa.intervals import exact_limits


@dataclass(frozen=True, slots=True)
class Standardised:
    """A rate at common weights, the strata in which nothing was found, and the rest's weight."""

    estimate: Estimate
    missing: tuple[str, ...]
    covered: float

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            **self.estimate.as_dict(),
            "missing": list(self.missing),
            "covered": self.covered,
        }


def standardised(
    found: Mapping[str, Counted],
    weights: Mapping[str, float],
    *,
    population: str = "",
    confidence: float = CONFIDENCE,
) -> Standardised:
    """The mean of the strata's rates at common weights, over those in which anything was found.

    Counts may be effective ones. The limits join Clopper-Pearson's of each stratum by the method of
    variance estimates recovery: not below their stated rate where a stratum has a rate of 0 or 1.

    Source: Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, chapter 19,
    on direct standardisation; Zou, Huang & Zhang (2009), Comput. Stat. Data Anal. 53, for joining
    limits.
    """
    known = {name: found[name] for name in weights if name in found and found[name].n > 0}
    missing = tuple(sorted(name for name in weights if name not in known))
    total, whole = sum(weights[name] for name in known), sum(weights.values())
    method = "directly standardised rate, Clopper-Pearson limits joined by variance recovery"
    source = "Fleiss, Levin & Paik 2003; Clopper & Pearson 1934; Zou, Huang & Zhang 2009"
    units = sum(each.units or round(each.n) for each in known.values())
    if not total:
        nothing = Estimate(None, None, None, 0, method, source, population, confidence)
        return Standardised(nothing, missing, 0.0)
    rate = below = above = 0.0
    for name, each in known.items():
        weight = weights[name] / total
        low, high = exact_limits(each.rate, each.n, confidence)
        rate += weight * each.rate
        below += (weight * (each.rate - low)) ** 2
        above += (weight * (high - each.rate)) ** 2
    rate = min(1.0, rate)  # a sum of shares may be above by a rounding
    limits = max(0.0, rate - sqrt(below)), min(1.0, rate + sqrt(above))
    estimate = Estimate(rate, *limits, units, method, source, population, confidence)
    return Standardised(estimate, missing, total / whole)
