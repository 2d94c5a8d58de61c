"""Drawing a sample from a population by a plan: previewed first, and the same each time.

The order of decisions is that of a keyed hash of seed and decision id, as ballots are drawn in
risk-limiting audits: it depends on no database and no library, and anyone can repeat it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from casework.canonical import digest
from casework.qa.allocation import Layer, allocate, expected_margin, share_of, size_for
from casework.qa.drift import Counted
from casework.qa.estimates import CONFIDENCE
from casework.qa.plans import Method, Plan, Trait
from casework.qa.population import NONE, Population, Tenures, stratum_of

#: What earlier rounds of a plan found in each stratum.
Experience: TypeAlias = Mapping[tuple[str, ...], Counted]
NOTHING_KNOWN: Final[Experience] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Stratum:
    """A stratum of a sample: how many there are, how many are drawn."""

    key: tuple[str, ...]
    population: int
    sampled: int
    error: float | None = None  # the rate that was expected, where it had a say in the number

    @property
    def probability(self) -> float:
        """How likely each of its decisions is to be drawn."""
        return self.sampled / self.population if self.population else 0.0

    def as_dict(self, strata: Sequence[str]) -> dict[str, Any]:
        """The same as plain JSON, its key by trait."""
        row = {
            "stratum": dict(zip(strata, self.key, strict=True)),
            "population": self.population,
            "sampled": self.sampled,
            "probability": self.probability,
        }
        return row if self.error is None else row | {"expected_error": self.error}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a plan would draw, before anything is drawn."""

    plan: str
    strata: tuple[Stratum, ...]
    reviews: int  # with those that several reviewers see, and golden items
    hours: float
    margin: float  # half the width of the interval that is expected
    confidence: float
    needed: int | None  # the size that reaches the wanted margin; None: not even all would

    @property
    def population(self) -> int:
        """How many decisions there are."""
        return sum(stratum.population for stratum in self.strata)

    @property
    def sampled(self) -> int:
        """How many would be drawn."""
        return sum(stratum.sampled for stratum in self.strata)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One decision of a sample."""

    decision_id: str
    stratum: tuple[str, ...]
    reviewers: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as it was drawn."""

    strata: tuple[Stratum, ...]
    drawn: tuple[Drawn, ...]

    def digest(self) -> str:
        """SHA-256 over what was drawn, in the order of its ids."""
        return digest(
            [
                [each.decision_id, list(each.stratum), each.reviewers]
                for each in sorted(self.drawn, key=lambda each: each.decision_id)
            ]
        )


def layers_of(
    plan: Plan, population: Population, tenures: Tenures, experience: Experience = NOTHING_KNOWN
) -> list[Layer]:
    """The strata of a population in the order of their keys, with what the plan asks of each.

    ``tenures`` are days since people and vendors began, ``experience`` what earlier rounds found.
    """
    sizes: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for cell, ids in population.items():
        sizes[stratum_of(cell, plan.strata)] += len(ids)
    return [
        _layer(plan, key, sizes[key], tenures, experience.get(key, Counted(0, 0)))
        for key in sorted(sizes)
    ]


def _layer(plan: Plan, key: tuple[str, ...], size: int, tenures: Tenures, known: Counted) -> Layer:
    traits: dict[Trait, str] = dict(zip(plan.strata, key, strict=True))
    risk, error = 1.0, plan.expected_error
    for trait, weights in plan.risk.items():
        risk *= weights.get(traits.get(trait, NONE), 1.0)
    for trait, rates in plan.expected_errors.items():
        error = rates.get(traits.get(trait, NONE), error)
    error = learned(error, known, plan.allocation.prior_looks)
    return Layer(key, size, _least(plan, traits, size, tenures), risk, error)


def learned(expected: float, known: Counted, looks: float) -> float:
    """The rate to expect of a stratum: what was found in it, drawn towards what was expected.

    The mean of a beta distribution in which the expected rate counts for ``looks`` decisions, so
    that a stratum in which a few were right is not taken for one without errors.

    Source: Evans (1951), J. Amer. Statist. Assoc. 46, on allocating by earlier samples; Gelman et
    al. (2013), Bayesian Data Analysis, section 2.4, for the mean.
    """
    return (known.hits + looks * expected) / (known.n + looks)


def _least(plan: Plan, traits: Mapping[Trait, str], size: int, tenures: Tenures) -> int:
    least = plan.allocation.per_stratum
    who: Trait = "person" if "person" in traits else "vendor"
    days = tenures.get((who, traits.get(who, NONE)))
    if days is None:
        return least
    if who == "person":
        least = max(least, plan.allocation.per_person)
    if plan.ramp:
        least = max(least, share_of(size, plan.ramp.share(days)))
    return least


def preview(
    name: str,
    plan: Plan,
    population: Population,
    tenures: Tenures,
    experience: Experience = NOTHING_KNOWN,
    *,
    margin: float = 0.02,
    confidence: float = CONFIDENCE,
) -> Preview:
    """What a plan would draw from a population, the precision to expect, and the work in hours."""
    layers = layers_of(plan, population, tenures, experience)
    numbers = allocate(layers, plan.allocation.method, plan.allocation.size)
    reviews = _reviews(plan, sum(numbers))
    return Preview(
        plan=name,
        strata=_strata(plan, layers, numbers),
        reviews=reviews,
        hours=reviews * plan.minutes / 60,
        margin=expected_margin(layers, numbers, confidence),
        confidence=confidence,
        needed=size_for(layers, plan.allocation.method, margin, confidence),
    )


def _reviews(plan: Plan, sampled: int) -> int:
    overlapping = share_of(sampled, plan.overlap.share) * (plan.overlap.reviewers - 1)
    return sampled + overlapping + share_of(sampled, plan.golden)


def _strata(plan: Plan, layers: Sequence[Layer], numbers: Sequence[int]) -> tuple[Stratum, ...]:
    asked = plan.allocation.method is Method.NEYMAN
    return tuple(
        Stratum(layer.key, layer.size, number, layer.error if asked else None)
        for layer, number in zip(layers, numbers, strict=True)
    )


def draw(
    plan: Plan,
    population: Population,
    tenures: Tenures,
    seed: str,
    experience: Experience = NOTHING_KNOWN,
) -> Sample:
    """Draw the plan's sample; the same population, seed and experience give the same sample."""
    layers = layers_of(plan, population, tenures, experience)
    numbers = allocate(layers, plan.allocation.method, plan.allocation.size)
    members: defaultdict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    for cell, ids in population.items():
        members[stratum_of(cell, plan.strata)].append(ids)
    chosen = [
        (decision, layer.key)
        for layer, number in zip(layers, numbers, strict=True)
        for decision in _lowest(members[layer.key], number, seed)
    ]
    twice = set(
        lowest(
            (decision for decision, _ in chosen),
            share_of(len(chosen), plan.overlap.share),
            f"{seed}\x00overlap",
        )
    )
    drawn = (
        Drawn(decision, key, plan.overlap.reviewers if decision in twice else 1)
        for decision, key in chosen
    )
    return Sample(_strata(plan, layers, numbers), tuple(drawn))


def _lowest(groups: Sequence[Sequence[str]], number: int, seed: str) -> list[str]:
    return lowest((each for ids in groups for each in ids), number, seed)


def lowest(names: Iterable[str], number: int, seed: str) -> list[str]:
    """The names with the lowest tickets: SHA-256 of the seed, a NUL and the name.

    Source: consistent sampling by a keyed hash, Rivest (2018), arXiv:1808.10016.
    """
    start, there = f"{seed}\x00".encode(), list(names)
    # Without a function for each, and without a million tuples at once: a third faster.
    tickets = [sha256(start + name.encode()).digest() for name in there]
    return [name for _, name in nsmallest(number, zip(tickets, there, strict=True))]
