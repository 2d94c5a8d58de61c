"""Health in Prometheus's text form: numbers, and the names of what they are grouped by."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from casework.health.measures import MEASURES, Kind
from casework.health.rows import Row

#: Groupings that have few groups; both together would be many series for what their sums show.
_GROUPINGS: Final = frozenset({"all", "queue", "severity", "vendor", "region", "rule", "provider"})
_SUFFIX: Final = {Kind.COUNT: "", Kind.SHARE: "_ratio", Kind.RATIO: "_ratio"}


def exposition(figures: Mapping[str, Any] | None, made_at: datetime | None, now: datetime) -> bytes:
    """Today's figures as they were last looked at, and how old they are.

    ``figures`` are those of a snapshot; None where nothing was looked at yet.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(list(_families(figures or {}, made_at, now))))
    return generate_latest(registry)


class _Told(Collector):
    """Families that are there already."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def _families(
    figures: Mapping[str, Any], made_at: datetime | None, now: datetime
) -> Iterator[GaugeMetricFamily]:
    rows = [Row(**row) for row in figures.get("rows", [])]
    for name in MEASURES:
        found = [row for row in rows if row.measure == name and row.by in _GROUPINGS]
        if found:
            yield _family(name, found)
    alerts = GaugeMetricFamily(
        "casework_alert", "Trend alerts of the last week.", labels=["day", "measure", "by", "group"]
    )
    for alert in figures.get("alerts", []):
        if alert["worse"]:
            alerts.add_metric([alert[name] for name in ("day", "measure", "by", "group")], 1)
    yield alerts
    if "expected_misses" in figures:
        yield GaugeMetricFamily(
            "casework_expected_misses",
            "Open clocks that will be missed at the rate of the last 24 hours.",
            figures["expected_misses"],
        )
    if until := figures.get("recorded_until"):
        yield GaugeMetricFamily(
            "casework_recorded_until_seconds",
            "The end of the last recorded day, as a Unix time.",
            datetime.fromisoformat(until).timestamp(),
        )
    if made_at is not None:
        yield GaugeMetricFamily(
            "casework_health_age_seconds",
            "How old these figures are.",
            max(0.0, (now - made_at).total_seconds()),
        )


def _family(name: str, rows: Iterable[Row]) -> GaugeMetricFamily:
    measure = MEASURES[name]
    told = f"{measure.title}, of {measure.population}, today so far."
    if measure.kind is Kind.LENGTH:
        labels = ["by", "group", "quantile"]
        family = GaugeMetricFamily(f"casework_{name}_seconds", told, labels=labels)
        for row in rows:
            for quantile, value in (("0.5", row.value), ("0.9", row.p90), ("0.99", row.p99)):
                if value is not None:
                    family.add_metric([row.by, row.group, quantile], value)
        return family
    family = GaugeMetricFamily(
        f"casework_{name}{_SUFFIX[measure.kind]}", told, labels=["by", "group"]
    )
    for row in rows:
        if row.value is not None:
            family.add_metric([row.by, row.group], row.value)
    return family
