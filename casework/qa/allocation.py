"""Sharing a sample out among strata."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from casework.qa.estimates import normal_quantile
from casework.qa.plans import Method


@dataclass(frozen=True, slots=True)
class Layer:
    """A stratum before its share is known: how many it has, and what speaks for drawing more."""

    key: tuple[str, ...]
    size: int
    least: int  # drawn in any case
    risk: float = 1.0  # how much more it is drawn than its number alone would have it
    error: float = 0.05  # the rate of errors that is expected in it

    @property
    def spread(self) -> float:
        """The standard deviation of a hit or miss at the expected rate."""
        return sqrt(self.error * (1 - self.error))


def allocate(layers: Sequence[Layer], method: Method, size: int) -> list[int]:
    """How many to draw from each stratum, never more than it has nor fewer than its least.

    The leasts come first: where they sum to more than ``size``, more is drawn. Shares follow
    Cochran (1977), sections 5.4 (proportional) and 5.5 (Neyman), times the risk.
    """
    least = [min(layer.size, layer.least) for layer in layers]
    if method is Method.FIXED:
        return [min(layer.size, max(low, size)) for layer, low in zip(layers, least, strict=True)]
    shares = [
        layer.size * layer.risk * (layer.spread if method is Method.NEYMAN else 1.0)
        for layer in layers
    ]
    most = [layer.size for layer in layers]
    wanted = min(sum(most), max(size, sum(least)))
    return _rounded(_filled(shares, least, most, wanted), most, wanted)


def _filled(
    shares: Sequence[float], least: Sequence[int], most: Sequence[int], wanted: int
) -> list[float]:
    """Shares in one proportion, cut to what each stratum allows, that sum to what is wanted."""

    def at(level: float) -> list[float]:
        return [
            min(high, max(low, level * share))
            for share, low, high in zip(shares, least, most, strict=True)
        ]

    low, high = 0.0, 1.0
    while sum(at(high)) < wanted and high < 1e12:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(at(middle)) < wanted else (low, middle)
    return at(high)


def _rounded(filled: Sequence[float], most: Sequence[int], wanted: int) -> list[int]:
    """Whole numbers of the same sum: the largest remainders are rounded up."""
    whole = [floor(share + 1e-9) for share in filled]
    by_rest = sorted(range(len(filled)), key=lambda n: (whole[n] - filled[n], n))
    while (short := wanted - sum(whole)) > 0:
        raised = [n for n in by_rest if whole[n] < most[n]][:short]
        for n in raised:
            whole[n] += 1
    return whole


def expected_margin(layers: Sequence[Layer], drawn: Sequence[int], confidence: float) -> float:
    """Half the width of the interval around the overall rate, if errors are as expected.

    Infinite where a stratum that has decisions is not drawn from at all.

    Source: Cochran (1977), equation 5.9, with the expected variances.
    """
    total = sum(layer.size for layer in layers)
    if not total:
        return 0.0
    variance = 0.0
    for layer, n in zip(layers, drawn, strict=True):
        if layer.size and not n:
            return float("inf")
        variance += layer.size * (layer.size - n) * layer.spread**2 / max(1, n)
    return normal_quantile(confidence) * sqrt(variance) / total


def size_for(
    layers: Sequence[Layer], method: Method, margin: float, confidence: float
) -> int | None:
    """The smallest sample that is expected to reach a margin; None if not even all would.

    For a fixed allocation it is the number from each stratum.
    """
    low, high = 0, max((layer.size for layer in layers), default=0)
    if method is not Method.FIXED:
        high = sum(layer.size for layer in layers)

    def reaches(size: int) -> bool:
        drawn = allocate(layers, method, size)
        return expected_margin(layers, drawn, confidence) <= margin

    if not reaches(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle + 1, high)
    # Less may do than the leasts of the strata come to; those are drawn all the same.
    return low if method is Method.FIXED else sum(allocate(layers, method, low))


def share_of(number: int, share: float) -> int:
    """A share of a number, rounded up."""
    return min(number, ceil(round(number * share, 9)))
