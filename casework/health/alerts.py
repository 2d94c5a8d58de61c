"""Trend alerts: which of a day's many figures are too unusual for chance, held to their number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Final

from casework.health.measures import MEASURES, Kind, Worse, figure
from casework.health.rows import Row
from casework.health.series import LONGEST_DAYS, Point, Unusual, compare
from casework.qa.drift import Correction, adjusted

#: On a day on which nothing has changed, the chance that there is any alert at all is no more.
FALSE_ALARMS: Final = 0.05

#: How it stands at midnight is nearly how it stood the midnight before: no days to compare. QA's
#: figures have intervals and a test of drift of their own.
_NOT_COMPARED: Final = frozenset(
    {"backlog", "backlog_age", "overdue", "qa_errors", "escalation_precision", "escalation_recall"}
)
#: Both together would be many small series for what their sums show better.
_NOT_GROUPED: Final = frozenset({"queue and severity"})
#: Fewer lengths of time than this have no steady median.
_FEWEST_LENGTHS: Final = 5


@dataclass(frozen=True, slots=True)
class Alert:
    """A figure that is too unusual: what it is, what was expected, how sure, and what to do."""

    measure: str
    by: str
    group: str
    value: float
    expected: float
    n: int
    p: float
    adjusted_p: float
    series: int  # how many were compared that day
    method: str
    worse: bool
    cases: tuple[str, ...] = ()
    proposal: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return {**asdict(self), "cases": list(self.cases)}

    def with_advice(self, cases: Sequence[str], proposal: str) -> "Alert":
        """The same with the cases that drive it and what may be done."""
        return replace(self, cases=tuple(cases), proposal=proposal)

    def told(self) -> str:
        """The alert in one sentence."""
        measure = MEASURES[self.measure]
        kind = Kind.COUNT if measure.kind is Kind.RATIO else measure.kind
        of = "" if self.by == "all" else f", {self.by} {self.group}"
        return (
            f"{measure.title}{of}: {figure(kind, self.value)}, "
            f"where {figure(kind, self.expected)} was expected"
        )


def find_alerts(
    history: Mapping[date, Sequence[Row]], day: date, rows: Sequence[Row]
) -> list[Alert]:
    """Compare each series of a day with its past; tell those that hold after Holm's correction.

    The chance of any false alarm on a day is ``FALSE_ALARMS`` at the most, however many series
    there are and however they hang together: Holm (1979), Scand. J. Statist. 6.
    """
    found = [
        (key, point, unusual)
        for key, past, point in _series(history, day, rows)
        if (unusual := compare(_kind(key[0]), past, point)) is not None
    ]
    corrected = adjusted([unusual.p for _, _, unusual in found], Correction.HOLM)
    alerts = [
        _alert(key, point, unusual, p, len(found))
        for (key, point, unusual), p in zip(found, corrected, strict=True)
        if p < FALSE_ALARMS
    ]
    return sorted(alerts, key=lambda each: (not each.worse, each.adjusted_p, each.measure))


def _kind(measure: str) -> Kind:
    """A ratio is compared by the count it has above its line."""
    kind = MEASURES[measure].kind
    return Kind.COUNT if kind is Kind.RATIO else kind


def _alert(
    key: tuple[str, str, str], point: Point, unusual: Unusual, p: float, series: int
) -> Alert:
    up, worse = point.value > unusual.expected, MEASURES[key[0]].worse
    return Alert(
        *key,
        value=point.value,
        expected=unusual.expected,
        n=point.n,
        p=unusual.p,
        adjusted_p=p,
        series=series,
        method=unusual.method,
        worse=worse is Worse.EITHER or (worse is Worse.UP) == up,
    )


def _series(
    history: Mapping[date, Sequence[Row]], day: date, rows: Sequence[Row]
) -> Iterator[tuple[tuple[str, str, str], list[Point], Point]]:
    """Each series with its past and its point of the day; a count that has no row is 0."""
    days = sorted(each for each in history if each < day)[-LONGEST_DAYS:]
    by_day = {each: {row.key: row for row in history[each]} for each in days}
    now = {row.key: row for row in rows}
    keys = dict.fromkeys([*now, *(key for each in days for key in by_day[each])])
    for key in keys:
        if key[0] in _NOT_COMPARED or key[1] in _NOT_GROUPED:
            continue
        point = _point(key, day, now.get(key))
        points = [_point(key, each, by_day[each].get(key)) for each in days]
        if point is not None:
            yield key, [each for each in points if each is not None], point


def _point(key: tuple[str, str, str], day: date, row: Row | None) -> Point | None:
    kind = MEASURES[key[0]].kind
    if kind is Kind.COUNT:
        return Point(day, 0.0 if row is None else float(row.n), 0 if row is None else row.n)
    if kind is Kind.RATIO:
        hits = 0 if row is None else row.hits or 0
        return Point(day, float(hits), hits)
    if row is None or row.value is None or not row.n:
        return None
    if kind is Kind.LENGTH and (row.n < _FEWEST_LENGTHS or row.value <= 0):
        return None
    return Point(day, row.value, row.n, row.hits)
