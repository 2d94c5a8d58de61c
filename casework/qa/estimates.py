"""What every statistic comes as: a figure that says how it was made and what it speaks of."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Final

from casework.errors import InputError

#: The usual confidence of an interval.
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its interval, and what an auditor asks about it.

    ``value`` is None where there is nothing to estimate from, ``low`` and ``high`` where the
    method gives no interval.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int  # units it was computed from
    method: str
    source: str  # the publication of the formula
    population: str  # whom or what it speaks of
    confidence: float = CONFIDENCE
    standard_error: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return asdict(self)


def normal_quantile(confidence: float) -> float:
    """How many standard errors a two-sided interval of this confidence reaches to each side.

    Raises:
        InputError: the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(
            f"a confidence of {confidence} is none", hint="give one between 0 and 1, such as 0.95"
        )
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def around(
    value: float, standard_error: float, confidence: float, bounds: Sequence[float]
) -> tuple[float, float]:
    """The normal interval around a value, cut at its bounds."""
    reach = normal_quantile(confidence) * standard_error
    return max(bounds[0], value - reach), min(bounds[1], value + reach)
