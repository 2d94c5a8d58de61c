"""Daily series, and how unusual a day is for its series.

A day is compared with days of the same weekday before it, on a scale on which its spread does not
depend on its level. Where there is too little to count for that, the exact distribution is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import asin, log, sqrt
from statistics import fmean, median, variance
from typing import Final

from casework.health.measures import Kind

#: Days that a series must have before it is compared with anything: three of each weekday.
FEWEST_DAYS: Final = 21
#: How far back a day is compared.
LONGEST_DAYS: Final = 56
#: A series with fewer events a day than this, on average, is compared by the exact distribution.
SPARSE: Final = 5.0

#: No time is taken for steadier than this, on the scale of logarithms: a change of less than about
#: a tenth is called nothing, however alike the days before were.
_STEADIEST: Final = 0.02

#: What a median's and a MAD's variance cost, for normal noise: Rousseeuw & Croux (1993).
_MEDIAN_COST: Final = 1.5708
_MAD_SCALE: Final = 1.4826
_MAD_EFFICIENCY: Final = 0.37


@dataclass(frozen=True, slots=True)
class Point:
    """One day of a series: a count or a time in ``value``, or ``hits`` of ``n``."""

    day: date
    value: float
    n: int
    hits: int | None = None


@dataclass(frozen=True, slots=True)
class Unusual:
    """How a day compares: what was expected, the two-sided p value, and how it was found."""

    expected: float
    p: float
    method: str


def compare(kind: Kind, past: Sequence[Point], today: Point) -> Unusual | None:
    """How unusual today is after the days before it; None where there are too few of them.

    Where nothing has changed, p is below any level on at most that share of days, whatever the
    weekdays are like and though counts spread more than Poisson's.

    Source: Anscombe (1948), Biometrika 35, for the scales; the robust forecast band follows
    Farrington et al. (1996), J. R. Stat. Soc. A 159, with median and MAD in place of weights.
    """
    known = [point for point in past if point.day < today.day][-LONGEST_DAYS:]
    if len(known) < FEWEST_DAYS:
        return None
    if kind is Kind.COUNT and fmean(point.value for point in known) < SPARSE:
        return _sparse_count([point.value for point in known], today.value)
    if kind is Kind.SHARE and _is_sparse_share(known, today):
        return _sparse_share(known, today)
    return _banded(kind, known, today)


def _banded(kind: Kind, known: Sequence[Point], today: Point) -> Unusual | None:
    """By median and MAD on the transformed scale, the weekday taken into account."""
    alike = [point for point in known if point.day.weekday() == today.day.weekday()]
    if len(alike) < FEWEST_DAYS // 7:
        return None
    centres = {
        weekday: median([_scaled(kind, p) for p in known if p.day.weekday() == weekday])
        for weekday in {point.day.weekday() for point in known}
    }
    residuals = [(_scaled(kind, p) - centres[p.day.weekday()]) / _noise(kind, p) for p in known]
    free = max(1, len(known) - len(centres))
    # Each weekday's median lies close to its own days: their residuals are too small for that.
    spread = _MAD_SCALE * median([abs(r) for r in residuals]) * sqrt(len(known) / free)
    if kind in (Kind.COUNT, Kind.SHARE):
        spread = max(spread, 1.0)  # no less than chance alone makes
    centre = centres[today.day.weekday()]
    of_centre = fmean(_noise(kind, p) ** 2 for p in alike) * _MEDIAN_COST / len(alike)
    error = spread * sqrt(_noise(kind, today) ** 2 + of_centre)
    away = abs(_scaled(kind, today) - centre)
    if kind is Kind.LENGTH:
        error = max(error, _STEADIEST)
    from scipy.stats import t

    p = float(2 * t.sf(away / error, _MAD_EFFICIENCY * free))
    expected = median([point.value for point in alike])
    return Unusual(expected, p, "same weekday, median and MAD, t band")


def _scaled(kind: Kind, point: Point) -> float:
    if kind is Kind.SHARE:
        return asin(sqrt(((point.hits or 0) + 0.375) / (point.n + 0.75)))
    if kind is Kind.COUNT:
        return 2 * sqrt(point.value + 0.375)
    return log(max(point.value, 1e-9))


def _noise(kind: Kind, point: Point) -> float:
    """The standard deviation that chance alone gives a point; of times, by how many there were."""
    if kind is Kind.SHARE:
        return 1 / (2 * sqrt(point.n + 0.5))
    return 1.0 if kind is Kind.COUNT else 1 / sqrt(max(1, point.n))


def _is_sparse_share(known: Sequence[Point], today: Point) -> bool:
    """Whether the transformation does not hold: too few hits, or too few misses."""
    hits, n = sum(p.hits or 0 for p in known), sum(p.n for p in known)
    rarer = min(hits, n - hits) / max(1, n)
    return rarer * min(today.n, n / len(known)) < SPARSE


def _sparse_count(values: Sequence[float], value: float) -> Unusual:
    """The exact forecast of a rare count: gamma-Poisson, wider where the past spread more.

    Source: Jeffreys's prior; the negative binomial as in Cowling et al. (2006), Int. J. Epid. 35.
    """
    from scipy.stats import nbinom

    level = (sum(values) + 0.5) / len(values)
    over = max(1.0, variance(values) / fmean(values)) if any(values) else 1.0
    spread = over * level * (1 + 1 / len(values))
    size = level**2 / max(spread - level, level / len(values))
    known = nbinom(size, size / (size + level))
    p = min(1.0, 2 * min(float(known.cdf(value)), float(known.sf(value - 1))))
    return Unusual(fmean(values), p, "all days, negative binomial forecast")


def _sparse_share(known: Sequence[Point], today: Point) -> Unusual:
    """The exact forecast of a rare share: beta-binomial, wider where the past spread more."""
    from scipy.stats import betabinom

    hits, n = sum(p.hits or 0 for p in known), sum(p.n for p in known)
    rate, over = (hits + 0.5) / (n + 1), _overdispersion(known, (hits + 0.5) / (n + 1))
    size = float(n + 1)
    if over > 1 and today.n > 1:
        size = min(size, max(2.0, (today.n - 1) / (over - 1) - 1))
    forecast = betabinom(today.n, rate * size, (1 - rate) * size)
    got = today.hits or 0
    p = min(1.0, 2 * min(float(forecast.cdf(got)), float(forecast.sf(got - 1))))
    return Unusual(hits / n if n else 0.0, p, "all days, beta-binomial forecast")


def _overdispersion(known: Sequence[Point], rate: float) -> float:
    """How many times more the days differ than chance makes them: Pearson's statistic, from 1."""
    terms = [((p.hits or 0) - p.n * rate) ** 2 / (p.n * rate * (1 - rate)) for p in known if p.n]
    return max(1.0, sum(terms) / max(1, len(terms) - 1))
