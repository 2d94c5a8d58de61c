"""Intervals of a simple proportion, and how many units a wanted precision takes."""

from math import ceil

from casework.errors import InputError
from casework.qa.estimates import CONFIDENCE, Estimate, normal_quantile


def wilson(hits: int, n: int, *, population: str = "", confidence: float = CONFIDENCE) -> Estimate:
    """A proportion with the score interval: near its stated rate on average, also for small n.

    Source: Wilson (1927), J. Amer. Statist. Assoc. 22; recommended by Brown, Cai & DasGupta
    (2001), Statist. Sci. 16(2).
    """
    return _simple(
        hits, n, "wilson", "Wilson score interval", "Wilson 1927", population, confidence
    )


def clopper_pearson(
    hits: int, n: int, *, population: str = "", confidence: float = CONFIDENCE
) -> Estimate:
    """A proportion with the exact interval: never below its stated rate, often wide.

    Source: Clopper & Pearson (1934), Biometrika 26.
    """
    method, source = "Clopper-Pearson exact interval", "Clopper & Pearson 1934"
    return _simple(hits, n, "exact", method, source, population, confidence)


def _simple(
    hits: int, n: int, kind: str, method: str, source: str, population: str, confidence: float
) -> Estimate:
    if not 0 <= hits <= n:
        raise InputError(f"{hits} of {n} is no proportion", hint="give hits between 0 and n")
    normal_quantile(confidence)
    if n == 0:
        return Estimate(None, None, None, 0, method, source, population, confidence)
    # SciPy takes a second to import, and most commands compute nothing.
    from scipy.stats import binomtest

    interval = binomtest(hits, n).proportion_ci(confidence, method=kind)
    low, high = float(interval.low), float(interval.high)
    return Estimate(hits / n, low, high, n, method, source, population, confidence)


def exact_limits(rate: float, n: float, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson limits for a number of units that need not be whole.

    ``n`` may be an effective sample size: Korn & Graubard (1998), Survey Methodology 24(2).
    """
    from scipy.stats import beta

    hits, tail = rate * n, (1 - confidence) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def sample_size(
    margin: float, rate: float = 0.5, *, population: int | None = None, confidence: float = 0.95
) -> int:
    """How many units give a proportion to plus or minus ``margin``, both as fractions.

    A rate of one half is the worst case. With a finite ``population`` fewer will do.

    Source: Cochran (1977), Sampling Techniques, 3rd ed., equations 4.1 and 4.2.

    Raises:
        InputError: margin, rate or population is out of range.
    """
    if not 0 < margin < 1 or not 0 <= rate <= 1:
        raise InputError(
            f"a margin of {margin} around {rate} cannot be reached",
            hint="both are fractions: 0.02 is two points",
        )
    if population is not None and population < 0:
        raise InputError(f"a population of {population} is none", hint="give how many there are")
    needed = normal_quantile(confidence) ** 2 * rate * (1 - rate) / margin**2
    if population is None:
        return _whole(needed)
    if population and needed > 1:  # below one, the correction would ask for more
        needed /= 1 + (needed - 1) / population
    return min(population, _whole(needed))


def _whole(needed: float) -> int:
    """The next whole number, but not for what rounding of floats put above one."""
    return ceil(round(needed, 6))
