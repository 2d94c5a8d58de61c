"""Escalation accuracy: what was handed up rightly, needlessly, or not at all."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from casework.qa.estimates import CONFIDENCE, Estimate
from casework.qa.weighted import Unit, weighted_rate


@dataclass(frozen=True, slots=True)
class Handed:
    """One reviewed decision: whether it was escalated, and whether it should have been.

    ``counts`` says whether it belongs to the part of the population that is asked about.
    """

    stratum: Hashable
    escalated: bool
    should: bool
    counts: bool = True


@dataclass(frozen=True, slots=True)
class EscalationAccuracy:
    """Shares of the population, each with its interval.

    ``precision``: of what was escalated, rightly. ``recall``: of what should be, escalated.
    ``over`` and ``under``: of all decisions, escalated needlessly and not escalated though due.
    """

    precision: Estimate
    recall: Estimate
    over: Estimate
    under: Estimate


def escalation_accuracy(
    decisions: Iterable[Handed],
    sizes: Mapping[Hashable, int],
    *,
    population: str = "",
    confidence: float = CONFIDENCE,
) -> EscalationAccuracy:
    """Estimate escalation accuracy from reviewed decisions of a stratified sample."""
    seen = list(decisions)

    def rate(units: list[Unit], of: str) -> Estimate:
        return weighted_rate(units, sizes, population=f"{of}: {population}", confidence=confidence)

    return EscalationAccuracy(
        precision=rate(
            [Unit(each.stratum, each.should, each.counts and each.escalated) for each in seen],
            "escalated",
        ),
        recall=rate(
            [Unit(each.stratum, each.escalated, each.counts and each.should) for each in seen],
            "to be escalated",
        ),
        over=rate(
            [Unit(each.stratum, each.escalated and not each.should, each.counts) for each in seen],
            "all",
        ),
        under=rate(
            [Unit(each.stratum, each.should and not each.escalated, each.counts) for each in seen],
            "all",
        ),
    )
