"""A day's facts summed up by group: the rows that are kept, shown and compared."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import floor
from typing import Any, Final

from casework.health.facts import Counted, Facts, Reviewed, Traits
from casework.health.measures import MEASURES, Kind
from casework.qa.weighted import Unit, weighted_rate

#: The group that everything is in.
ALL: Final = "all"

PERCENTILES: Final = (50, 90, 99)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one group on one day.

    ``value`` is the count, the share, the ratio, or the median in seconds. ``low`` and ``high``
    bound what was estimated from a sample; what was counted in full has no such bounds.
    """

    measure: str
    by: str
    group: str
    n: int
    value: float | None
    hits: int | None = None
    low: float | None = None
    high: float | None = None
    p90: float | None = None
    p99: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON, without what it lacks."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def key(self) -> tuple[str, str, str]:
        """What the same row of another day has in common with it."""
        return self.measure, self.by, self.group


def groups_of(traits: Traits, own: tuple[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Every group that a fact is in, as what it is grouped by and which."""
    yield ALL, ALL
    for name, value in traits._asdict().items():
        if value:
            yield name, value
    if traits.queue and traits.severity:
        yield "queue and severity", f"{traits.queue} {traits.severity}"
    if own is not None:
        yield own


def percentile(ordered: Sequence[float], percent: float) -> float:
    """A percentile of values in ascending order, straight between its neighbours.

    Source: Hyndman & Fan (1996), The American Statistician 50(4), definition 7.
    """
    place = (len(ordered) - 1) * percent / 100
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def rows_of(facts: Facts) -> list[Row]:
    """Sum up a day's facts, in the order of the measures; a group without facts has no row."""
    rows = [*_counted(facts.counted), *_timed(facts), *_reviewed(facts)]
    order = {name: place for place, name in enumerate(MEASURES)}
    return sorted(rows, key=lambda row: (order[row.measure], row.by != ALL, row.by, row.group))


def _counted(facts: Iterable[Counted]) -> Iterator[Row]:
    tally: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for fact in facts:
        groups = [fact.own] if fact.only and fact.own else groups_of(fact.traits, fact.own)
        for by, group in groups:
            counts = tally[fact.measure, by, group]
            counts[0] += fact.n
            counts[1] += fact.hits
    for (measure, by, group), (n, hits) in tally.items():
        if MEASURES[measure].kind is Kind.COUNT:
            yield Row(measure, by, group, n, float(n))
        else:
            yield Row(measure, by, group, n, hits / n if n else None, hits)


def _timed(facts: Facts) -> Iterator[Row]:
    lengths: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    for fact in facts.timed:
        for by, group in groups_of(fact.traits):
            lengths[fact.measure, by, group].append(fact.seconds)
    for (measure, by, group), values in lengths.items():
        values.sort()
        p50, p90, p99 = (percentile(values, percent) for percent in PERCENTILES)
        yield Row(measure, by, group, len(values), p50, p90=p90, p99=p99)


def _reviewed(facts: Facts) -> Iterator[Row]:
    """QA's figures speak of all decisions, each weighted by how many it stands for."""
    groups = dict.fromkeys(g for each in facts.reviewed for g in groups_of(each.traits))
    for by, group in groups:
        inside = [(by, group) in groups_of(each.traits) for each in facts.reviewed]
        both = list(zip(facts.reviewed, inside, strict=True))
        for measure, units in (
            ("qa_errors", [Unit(e.stratum, e.wrong, here) for e, here in both]),
            ("escalation_precision", [_precision(e, here) for e, here in both]),
            ("escalation_recall", [_recall(e, here) for e, here in both]),
        ):
            hits = sum(unit.hit for unit in units if unit.counts)
            found = weighted_rate(units, facts.sizes)
            if found.n and any(unit.counts for unit in units):
                n = sum(unit.counts for unit in units)
                yield Row(measure, by, group, n, found.value, hits, found.low, found.high)


def _precision(each: Reviewed, here: bool) -> Unit:
    return Unit(each.stratum, each.should, here and each.escalated)


def _recall(each: Reviewed, here: bool) -> Unit:
    return Unit(each.stratum, each.escalated, here and each.should)
