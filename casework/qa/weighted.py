"""Rates from a stratified sample: every unit counts for as many as it stands for."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from casework.errors import InputError
from casework.qa.estimates import CONFIDENCE, Estimate, around
from casework.qa.intervals import exact_limits


@dataclass(frozen=True, slots=True)
class StratumSummary:
    """What was found in one stratum: its size, and mean and variance of its sampled units."""

    population: int
    sampled: int
    mean: float
    variance: float  # of the sampled units, divided by sampled - 1


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a sample: its stratum and whether it is a hit, among those that count.

    ``counts`` says whether it belongs to the part of the population that is asked about.
    """

    stratum: Hashable
    hit: bool
    counts: bool = True


def proportion_of(population: int, sampled: int, hits: int) -> StratumSummary:
    """The summary of a stratum in which units are hits or not."""
    mean = hits / sampled if sampled else 0.0
    variance = mean * (1 - mean) * sampled / (sampled - 1) if sampled > 1 else 0.0
    return StratumSummary(population, sampled, mean, variance)


def stratified(
    strata: Sequence[StratumSummary], *, population: str = "", confidence: float = CONFIDENCE
) -> Estimate:
    """The mean over all strata, with finite population correction and a normal interval.

    Source: Cochran (1977), Sampling Techniques, 3rd ed., theorems 5.1 and 5.3.

    Raises:
        InputError: a stratum that has units was not sampled, or sampled beyond its size.
    """
    method = "stratified mean with finite population correction, normal interval"
    source = "Cochran 1977, theorems 5.1 and 5.3"
    for each in strata:
        if each.sampled > each.population or (each.population and not each.sampled):
            raise InputError(
                f"a stratum of {each.population} units has {each.sampled} in the sample",
                hint="each stratum needs at least one unit, and no more than it has",
            )
    total = sum(each.population for each in strata)
    n = sum(each.sampled for each in strata)
    if not total:
        return Estimate(None, None, None, 0, method, source, population, confidence)
    mean = sum(each.population * each.mean for each in strata) / total
    error = sqrt(sum(map(_variance_of_total, strata))) / total
    low, high = around(mean, error, confidence, (-float("inf"), float("inf")))
    return Estimate(mean, low, high, n, method, source, population, confidence, error)


def _variance_of_total(stratum: StratumSummary, finite: bool = True) -> float:
    if not stratum.sampled:
        return 0.0
    size, n = stratum.population, stratum.sampled
    return size * (size - n if finite else size) * stratum.variance / n


def weighted_rate(
    units: Iterable[Unit],
    sizes: Mapping[Hashable, int],
    *,
    population: str = "",
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The rate of hits among those that count, each weighted by the inverse of its probability.

    The Hajek ratio of two Horvitz-Thompson totals; its variance is that of the linearised ratio
    within strata, with finite population correction. The interval is Clopper-Pearson's at the
    effective sample size, which holds for rates near 0 and 1 where a normal one does not.

    ``sizes`` gives the population of each stratum; units sampled in it share its probability.

    Source: Horvitz & Thompson (1952); Hajek (1971); Sarndal, Swensson & Wretman (1992), sections
    5.7 and 10.3; Korn & Graubard (1998) for the interval.
    """
    method = "Hajek ratio of Horvitz-Thompson totals, Korn-Graubard interval"
    source = "Horvitz & Thompson 1952; Hajek 1971; Korn & Graubard 1998"
    found = ratio(units, sizes)
    if found is None:
        return Estimate(None, None, None, 0, method, source, population, confidence)
    rate, error, counted = found.rate, found.error, found.counted
    low, high = exact_limits(rate, _effective(rate, error, counted), confidence)
    return Estimate(
        rate, low, high, counted, method, source, population, confidence, standard_error=error
    )


@dataclass(frozen=True, slots=True)
class Ratio:
    """A weighted rate, its standard error, and how many units it comes from.

    ``spread_size`` is how many units of equal weight would have so little spread in their weights.
    """

    rate: float
    error: float
    counted: int
    spread_size: float


def ratio(
    units: Iterable[Unit], sizes: Mapping[Hashable, int], *, finite: bool = True
) -> Ratio | None:
    """The rate of hits among units that count, linearised within strata; None if none counts.

    ``finite`` says whether it is asked about this population, or about what brings it forth.
    """
    strata: defaultdict[Hashable, list[Unit]] = defaultdict(list)
    for unit in units:
        strata[unit.stratum].append(unit)
    weights = {name: sizes[name] / len(found) for name, found in strata.items()}
    counted = {name: sum(u.counts for u in found) for name, found in strata.items()}
    if not any(counted.values()):
        return None
    size = sum(weights[name] * n for name, n in counted.items())
    hits = sum(
        weights[name] * sum(u.counts and u.hit for u in found) for name, found in strata.items()
    )
    rate = hits / size
    variance = sum(
        _variance_of_total(_residuals(found, sizes[name], rate), finite)
        for name, found in strata.items()
    )
    squares = sum(weights[name] ** 2 * n for name, n in counted.items())
    return Ratio(rate, sqrt(variance) / size, sum(counted.values()), size**2 / squares)


def _residuals(units: Sequence[Unit], size: int, rate: float) -> StratumSummary:
    values = [unit.counts * (unit.hit - rate) for unit in units]
    mean = sum(values) / len(values)
    spread = sum((value - mean) ** 2 for value in values)
    return StratumSummary(size, len(values), mean, spread / max(1, len(values) - 1))


def _effective(rate: float, error: float, n: int) -> float:
    """Units of a simple sample that would say as much; n where that cannot be told."""
    if error <= 0 or not 0 < rate < 1:
        return float(n)
    return rate * (1 - rate) / error**2
