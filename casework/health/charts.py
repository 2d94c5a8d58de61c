"""Charts of the report as SVG: one for each trend, of the days that are recorded."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from casework.health.measures import MEASURES, Kind
from casework.health.report import SHOWN_DAYS, TRENDS, Health
from casework.health.rows import ALL, Row

#: Okabe & Ito's colours, which the colour-blind can tell apart; lines differ in dashes too.
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73")
_DASHES: Final = ((1, 0), (6, 3), (2, 2))
_WIDTH, _HEIGHT = 640, 220


def charts(health: Health) -> dict[str, str]:
    """An SVG for each trend that has anything to show, by its name."""
    days = dict(sorted(health.days.items())[-SHOWN_DAYS:])
    found = {}
    for name, (title, measures) in TRENDS.items():
        kinds = MEASURES[measures[0]].kind
        alike = [each for each in measures if MEASURES[each].kind is kinds]
        points = list(_points(days, alike, kinds))
        if points:
            found[name] = _svg(title, points, [MEASURES[each].title for each in alike], kinds)
    return found


def _points(
    days: Mapping[date, Sequence[Row]], measures: Sequence[str], kind: Kind
) -> Iterator[dict[str, Any]]:
    """A point for each day and measure; a count that has no row is 0, all else is left out."""
    scale = 3600 if kind is Kind.LENGTH else 1
    seen = {row.measure for rows in days.values() for row in rows if row.by == ALL}
    for day, rows in days.items():
        found = {row.measure: row.value for row in rows if row.by == ALL}
        for name in (name for name in measures if name in seen):
            value = found.get(name, 0.0 if kind is Kind.COUNT else None)
            if value is not None:
                what = MEASURES[name].title
                yield {"day": day.isoformat(), "value": value / scale, "what": what}


def _svg(title: str, points: Sequence[Any], names: Sequence[str], kind: Kind) -> str:
    # vl-convert takes a while to import, and few commands draw anything.
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_specification(title, points, names, kind)))


def _specification(
    title: str, points: Sequence[Any], names: Sequence[str], kind: Kind
) -> dict[str, Any]:
    """The chart in Vega-Lite's own words."""
    unit = {Kind.LENGTH: "hours (median)", Kind.SHARE: "share", Kind.COUNT: "number"}[kind]
    domain, dashes = list(names), [list(dash) for dash in _DASHES[: len(names)]]
    colours = {"domain": domain, "range": list(_COLOURS[: len(names)])}
    dates = {"format": "%d %b", "labelAngle": 0, "labelOverlap": "greedy", "labelSeparation": 8}
    legend = {"orient": "top", "title": None, "symbolType": "stroke"}
    values = {"format": "%" if kind is Kind.SHARE else "~s", "title": unit}
    return {
        "title": title,
        "description": f"{title}, {points[0]['day']} to {points[-1]['day']}, by day",
        "width": _WIDTH,
        "height": _HEIGHT,
        "background": "#ffffff",
        "config": {"font": "sans-serif", "legend": legend},
        "data": {"values": list(points)},
        "mark": {"type": "line", "point": True, "strokeWidth": 2},
        "encoding": {
            # A day is a day in UTC, wherever the chart is drawn.
            "x": {
                "field": "day",
                "type": "temporal",
                "timeUnit": "utcyearmonthdate",
                "title": None,
                "axis": dates,
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "axis": values,
                "scale": {"zero": kind is not Kind.SHARE},
            },
            "color": {"field": "what", "type": "nominal", "scale": colours},
            "strokeDash": {
                "field": "what",
                "type": "nominal",
                "scale": {"domain": domain, "range": dashes},
            },
        },
    }
