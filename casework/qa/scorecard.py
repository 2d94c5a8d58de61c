"""What a vendor's people did in a period, in figures that can be held beside another's. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any, NamedTuple

from casework.qa.agreement import krippendorff_alpha, observed_agreement
from casework.qa.drift import Counted, effective
from casework.qa.escalation import Handed, escalation_accuracy
from casework.qa.estimates import CONFIDENCE
from casework.qa.intervals import clopper_pearson, wilson
from casework.qa.population import NONE
from casework.qa.pseudonyms import Naming
from casework.qa.quality import Pool
from casework.qa.ratings import Level, Rating, gather
from casework.qa.report import Looked, Round
from casework.qa.rights import turned
from casework.qa.standardised import standardised

#: Our own people, where a vendor is asked for.
OURS = ""


class Work(NamedTuple):
    """One answer of a person at a gate that was decided."""

    person: str
    vendor: str  # whom they worked for then
    queue: str
    severity: str
    on_time: bool | None  # None: nothing was promised, or the promise was called off
    minutes: float | None  # since the gate was last claimed; None where nobody had

    @property
    def stratum(self) -> str:
        """What is held to be the same kind of work for everybody."""
        return f"{self.queue}, {self.severity}"


@dataclass(frozen=True, slots=True)
class Period:
    """All that scorecards of a period are made of, everybody's."""

    work: Sequence[Work]
    sampled: Pool
    calibrated: Sequence[Round]
    known: Sequence[tuple[str, bool]]  # who answered a golden item, and whether rightly
    employer: Callable[[str], str]  # whom somebody works for

    def weights(self) -> dict[str, float]:
        """The common mix: each stratum's share of all that people decided."""
        tally = Counter(each.stratum for each in self.work)
        return {name: number / tally.total() for name, number in sorted(tally.items())}


def scorecard(
    vendor: str, period: Period, naming: Naming | None, *, confidence: float = CONFIDENCE
) -> dict[str, Any]:
    """A vendor's figures as plain JSON; with ``naming`` their people's too, by pseudonym.

    Rates stand twice: as they are, and at everybody's mix of queue and severity, which is what may
    be compared. There ``missing`` names the strata in which nothing of theirs was found.
    """
    own = [each for each in period.work if each.vendor == vendor]
    name = vendor or "our own people"
    found = {
        "vendor": vendor,
        "volume": len(own),
        "queues": dict(sorted(Counter(each.queue for each in own).items())),
        "quality": _quality(vendor, period, name, confidence),
        "golden": _golden(vendor, period, name, confidence),
        "calibration": _calibration(vendor, period, name, confidence),
        "sla": _sla(own, period, name, confidence),
        "escalation": _escalation(vendor, period, name, confidence),
        "handling": _handling(own),
    }
    return found if naming is None else found | {"people": _people(own, period, naming, confidence)}


def _is_of(vendor: str) -> Callable[[Looked], bool]:
    wanted = vendor or NONE
    return lambda each: each.traits["decider"] == "person" and each.traits["vendor"] == wanted


def _quality(vendor: str, period: Period, name: str, confidence: float) -> dict[str, Any]:
    """The share of their decisions that re-review let stand."""
    pool, belongs = period.sampled, _is_of(vendor)
    crude = turned(pool.error_rate(belongs, population=name, confidence=confidence))
    cells: dict[str, Counted] = {}
    for stratum in {_stratum(each) for _, each in pool.settled if belongs(each)}:

        def counts(each: Looked, stratum: str = stratum) -> bool:
            return belongs(each) and _stratum(each) == stratum

        units = pool.units(lambda each: each.error is None, counts)
        cells[stratum] = effective(units, pool.sizes)
    even = standardised(cells, period.weights(), population=name, confidence=confidence)
    return {"as_is": crude.as_dict(), "standardised": even.as_dict()}


def _stratum(each: Looked) -> str:
    return f"{each.traits['queue']}, {each.traits['severity']}"


def _golden(vendor: str, period: Period, name: str, confidence: float) -> dict[str, Any]:
    right = [is_right for person, is_right in period.known if period.employer(person) == vendor]
    return clopper_pearson(sum(right), len(right), population=name, confidence=confidence).as_dict()


def _calibration(vendor: str, period: Period, name: str, confidence: float) -> dict[str, Any]:
    """How far their people agree where all were given the same decisions."""
    ratings = gather(
        (
            Rating(each.item, review.reviewer, review.outcome.label)
            for found in period.calibrated
            for each in found.items
            for review in each.reviews
            if period.employer(review.reviewer) == vendor
        ),
        Level.NOMINAL,
    )
    alpha = krippendorff_alpha(ratings, Level.NOMINAL, population=name, confidence=confidence)
    observed = observed_agreement(ratings, population=name, confidence=confidence)
    return {"alpha": alpha.as_dict(), "observed": observed.as_dict()}


def _sla(own: Sequence[Work], period: Period, name: str, confidence: float) -> dict[str, Any]:
    """The share of their decisions that came in time, of those for which that was promised."""
    promised = [each for each in own if each.on_time is not None]
    kept = sum(bool(each.on_time) for each in promised)
    cells: defaultdict[str, list[bool]] = defaultdict(list)
    for each in promised:
        cells[each.stratum].append(bool(each.on_time))
    counted = {stratum: Counted(sum(of), len(of), len(of)) for stratum, of in cells.items()}
    even = standardised(counted, period.weights(), population=name, confidence=confidence)
    crude = wilson(kept, len(promised), population=name, confidence=confidence)
    return {"as_is": crude.as_dict(), "standardised": even.as_dict()}


def _escalation(vendor: str, period: Period, name: str, confidence: float) -> dict[str, Any]:
    belongs = _is_of(vendor)
    decisions = [
        Handed(
            stratum,
            each.first.escalated,
            each.final is not None and each.final.escalated,
            belongs(each),
        )
        for stratum, each in period.sampled.settled
    ]
    found = escalation_accuracy(
        decisions, period.sampled.sizes, population=name, confidence=confidence
    )
    return {each: asdict(getattr(found, each)) for each in ("precision", "recall")}


def _handling(own: Iterable[Work]) -> dict[str, Any]:
    """Minutes from the last claim to the answer: the middle, and what nine of ten stay under."""
    minutes = sorted(each.minutes for each in own if each.minutes is not None)
    if not minutes:
        return {"n": 0, "median_minutes": None, "p90_minutes": None}
    tenths = quantiles(minutes, n=10, method="inclusive") if len(minutes) > 1 else minutes * 9
    return {
        "n": len(minutes),
        "median_minutes": round(median(minutes), 2),
        "p90_minutes": round(tenths[8], 2),
    }


def _people(
    own: Sequence[Work], period: Period, naming: Naming, confidence: float
) -> dict[str, Any]:
    found = {}
    for person, volume in sorted(Counter(each.person for each in own).items()):

        def counts(each: Looked, person: str = person) -> bool:
            return each.traits["person"] == person

        name = naming(person)
        error = period.sampled.error_rate(counts, population=name, confidence=confidence)
        found[name] = {"volume": volume, "quality": turned(error).as_dict()}
    return found
