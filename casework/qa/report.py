"""What a round says: error rates, agreement, escalation accuracy and drift. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from casework.qa.agreement import agreement, cohen_kappa, pairwise_kappa
from casework.qa.drift import Correction, Counted, Drift, drift, effective
from casework.qa.escalation import Handed, escalation_accuracy
from casework.qa.estimates import CONFIDENCE, Estimate
from casework.qa.intervals import clopper_pearson
from casework.qa.population import NONE
from casework.qa.pseudonyms import Naming
from casework.qa.ratings import Level, Rating, gather
from casework.qa.reviews import Outcome
from casework.qa.weighted import Unit, proportion_of, stratified, weighted_rate

#: What rates are broken down by.
GROUPS: Final = ("decider", "person", "vendor", "queue", "rule", "clause")


@dataclass(frozen=True, slots=True)
class Review:
    """One reviewer's answer about an item."""

    reviewer: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Looked:
    """One item of a round, as far as it has come.

    ``final`` is None until it is settled. ``traits`` are those of ``GROUPS``.
    """

    item: str
    stratum: tuple[str, ...]
    golden: bool
    traits: Mapping[str, str]
    first: Outcome
    final: Outcome | None
    error: str | None
    reviews: tuple[Review, ...]
    disputed: bool = False  # an adjudicator has still to decide


@dataclass(frozen=True, slots=True)
class Round:
    """A round: its items, and how many decisions each stratum has."""

    name: str
    items: tuple[Looked, ...]
    sizes: Mapping[tuple[str, ...], int]

    def settled(self) -> list[Looked]:
        """The sampled decisions about which it is known whether they were right."""
        return [each for each in self.items if not each.golden and each.final is not None]


def report(
    found: Round,
    before: Round | None,
    naming: Naming,
    *,
    confidence: float = CONFIDENCE,
    correction: Correction = Correction.HOLM,
) -> dict[str, Any]:
    """Everything a sampling round says, as plain JSON; ``before`` is the round to compare with.

    Rates are of the population, each decision weighted by the inverse of its probability. They
    cover the strata of which something is settled, and are too low while ``disputed`` is not 0.
    """
    settled = found.settled()
    covered = {each.stratum for each in settled}
    reached = sum(size for key, size in found.sizes.items() if key in covered)
    people = f"{reached} of {sum(found.sizes.values())} decisions of {found.name}"
    return {
        "settled": len(settled),
        "open": sum(not each.golden and each.final is None for each in found.items),
        "disputed": sum(each.disputed for each in found.items),
        "covered": reached,
        "error_rate": _rate(settled, found.sizes, lambda _: True, people, confidence).as_dict(),
        "error_rate_stratified": _stratified(settled, found, people, confidence).as_dict(),
        "by": {group: _by(group, settled, found, people, naming, confidence) for group in GROUPS},
        "errors": _by_class(settled, found, people, confidence),
        "escalation": _escalation(settled, found, people, confidence),
        "agreement": agreement_of(found, naming, confidence),
        "golden": _golden(found, naming, confidence),
        "drift": [_drifted(each) for each in _drift(found, before, naming, correction)],
    }


def _rate(
    settled: Sequence[Looked],
    sizes: Mapping[tuple[str, ...], int],
    counts: Callable[[Looked], bool],
    population: str,
    confidence: float,
) -> Estimate:
    units = (Unit(each.stratum, each.error is not None, counts(each)) for each in settled)
    return weighted_rate(units, dict(sizes.items()), population=population, confidence=confidence)


def _stratified(
    settled: Sequence[Looked], found: Round, population: str, confidence: float
) -> Estimate:
    looked = Counter(each.stratum for each in settled)
    wrong = Counter(each.stratum for each in settled if each.error is not None)
    strata = [proportion_of(found.sizes[key], n, wrong[key]) for key, n in looked.items()]
    return stratified(strata, population=population, confidence=confidence)


def _by(
    group: str,
    settled: Sequence[Looked],
    found: Round,
    population: str,
    naming: Naming,
    confidence: float,
) -> dict[str, Any]:
    """The error rate of each value of a trait."""
    rates = {}
    for value in sorted({each.traits[group] for each in settled} - {NONE}):

        def counts(each: Looked, value: str = value) -> bool:
            return each.traits[group] == value

        shown = _shown(group, value, settled, naming)
        of = f"{group} {shown}: {population}"
        rates[shown] = _rate(settled, found.sizes, counts, of, confidence).as_dict()
    return rates


def _shown(group: str, value: str, settled: Sequence[Looked], naming: Naming) -> str:
    """A trait's value; a person's under their pseudonym, the machine under its own name."""
    if group != "person":
        return value
    deciders = {each.traits["decider"] for each in settled if each.traits["person"] == value}
    return value if deciders == {"machine"} else naming(value)


def _by_class(
    settled: Sequence[Looked], found: Round, population: str, confidence: float
) -> dict[str, Any]:
    """The rate of each class of error among all decisions."""
    rates = {}
    for name in sorted({each.error for each in settled if each.error is not None}):
        units = [Unit(each.stratum, each.error == name) for each in settled]
        of = f"{name}: {population}"
        rates[name] = weighted_rate(
            units, dict(found.sizes.items()), population=of, confidence=confidence
        ).as_dict()
    return rates


def _escalation(
    settled: Sequence[Looked], found: Round, population: str, confidence: float
) -> dict[str, Any]:
    decisions = [
        Handed(each.stratum, each.first.escalated, each.final is not None and each.final.escalated)
        for each in settled
    ]
    rates = escalation_accuracy(
        decisions, dict(found.sizes.items()), population=population, confidence=confidence
    )
    reasons: defaultdict[str, int] = defaultdict(int)
    for each in settled:
        if each.final is not None and each.first.escalated != each.final.escalated:
            kind = "over" if each.first.escalated else "under"
            reasons[f"{kind}: {each.first.label}, should be {each.final.label}"] += 1
    shares = {
        name: getattr(rates, name).as_dict() for name in ("precision", "recall", "over", "under")
    }
    return {**shares, "reasons": dict(sorted(reasons.items()))}


def agreement_of(found: Round, naming: Naming, confidence: float = CONFIDENCE) -> dict[str, Any]:
    """How far reviewers agree with the first decision, with each other, and pair by pair."""
    ours = [each for each in found.items if not each.golden]
    with_first = gather(
        (
            Rating(each.item, who, outcome.label)
            for each in ours
            if each.reviews
            for who, outcome in (("first", each.first), ("second", each.reviews[0].outcome))
        ),
        Level.NOMINAL,
    )
    among = gather(
        (
            Rating(each.item, naming(review.reviewer), review.outcome.label)
            for each in found.items
            for review in each.reviews
            # One alone says nothing about agreement, and would only widen its interval.
            if len(each.reviews) > 1
        ),
        Level.NOMINAL,
    )
    people = f"items of {found.name} that several reviewed"
    return {
        "with_first_decision": cohen_kappa(
            with_first.table("first", "second"),
            population=f"reviewed decisions of {found.name}",
            confidence=confidence,
        ).as_dict(),
        "among_reviewers": {
            name: each.as_dict()
            for name, each in agreement(
                among, Level.NOMINAL, population=people, confidence=confidence
            ).items()
        },
        "pairs": [
            {"reviewers": list(pair), **each.as_dict()}
            for pair, each in pairwise_kappa(
                among, population=people, confidence=confidence
            ).items()
        ],
    }


def _golden(found: Round, naming: Naming, confidence: float) -> dict[str, Any]:
    """How often each reviewer gave the known answer."""
    right, given = Counter[str](), Counter[str]()
    for each in found.items:
        for review in each.reviews if each.golden else ():
            given[review.reviewer] += 1
            right[review.reviewer] += review.outcome == each.first
    return {
        naming(who): clopper_pearson(
            right[who], n, population=f"golden items of {found.name}", confidence=confidence
        ).as_dict()
        for who, n in sorted(given.items())
    }


def _drift(
    found: Round, before: Round | None, naming: Naming, correction: Correction
) -> list[Drift]:
    if before is None:
        return []
    return drift(_counted(before, naming), _counted(found, naming), correction=correction)


def _counted(found: Round, naming: Naming) -> dict[str, Counted]:
    """Errors among decisions, weighted: of all, and of each value of each trait."""
    settled = found.settled()
    domains: dict[str, tuple[str, str] | None] = {"all": None}
    for each in settled:
        for group in GROUPS:
            if (value := each.traits[group]) != NONE:
                domains[f"{group} {_shown(group, value, settled, naming)}"] = group, value
    sizes: dict[Hashable, int] = dict(found.sizes.items())
    return {name: effective(_units(settled, of), sizes) for name, of in domains.items()}


def _units(settled: Sequence[Looked], of: tuple[str, str] | None) -> Iterable[Unit]:
    """Settled decisions, of which those with a value of a trait count."""
    for each in settled:
        yield Unit(each.stratum, each.error is not None, of is None or each.traits[of[0]] == of[1])


def _drifted(each: Drift) -> dict[str, Any]:
    return asdict(each)


def figures_of(document: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The estimates of a report one after another, named by their place in it."""
    for name, value in document.items():
        if isinstance(value, Mapping) and "method" in value:
            yield name, value
        elif isinstance(value, Mapping):
            yield from ((f"{name} {below}", each) for below, each in figures_of(value))
