"""The report for leads, section by section, as Markdown; charts stand beside their tables."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from casework.health.alerts import FALSE_ALARMS, Alert
from casework.health.days import bounds
from casework.health.forecast import Risk
from casework.health.measures import MEASURES, Kind, figure
from casework.health.rows import ALL, Row

#: Days shown in charts and in the table beside them.
SHOWN_DAYS: Final = 28
TABLE_DAYS: Final = 14
#: Clocks named in the forecast, of those that are not lost yet.
NAMED_RISKS: Final = 15
CERTAIN: Final = 0.995

#: What a chart and the table beside it show, day by day.
TRENDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "flow": ("Gates opened and decided", ("gates_opened", "gates_decided", "volume")),
    "backlog": ("Backlog", ("backlog", "overdue", "backlog_age")),
    "times": ("Time to decision", ("decision_time", "first_touch")),
    "promises": ("Promises kept", ("sla_first_touch", "sla_decision", "sla_partner_answer")),
}

#: Groups named beside the one that a line is about.
NAMED_GROUPS: Final = 8
NAMED_CASES: Final = 5

_NEARNESS: Final = ("rule", "provider", "signal", "queue", "vendor", "all", "region", "severity")
_GROUPED: Final = ("queue", "vendor", "region")
_COLUMNS: Final = (
    "gates_opened",
    "gates_decided",
    "backlog",
    "overdue",
    "decision_time",
    "sla_first_touch",
    "sla_decision",
)


@dataclass(frozen=True, slots=True)
class Health:
    """All that a report is made from: today so far, the days before it, alerts, the forecast."""

    at: datetime
    today: Sequence[Row]
    days: Mapping[date, Sequence[Row]]
    alerts: Sequence[tuple[date, Alert]]
    risks: Sequence[Risk]
    revisions: Sequence[tuple[date, int, Sequence[str]]] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report; ``chart`` names the picture that belongs to it."""

    title: str
    lines: Sequence[str] = field(default_factory=list)
    chart: str = ""


def sections(health: Health) -> list[Section]:
    """The report, what asks for somebody first."""
    return [
        Section("What asks for you", _alerts(health.alerts)),
        Section("What will be missed", _risks(health.risks)),
        *(
            Section(title, _trend(health, measures), chart)
            for chart, (title, measures) in TRENDS.items()
        ),
        *(Section(f"Today by {by}", _groups(health.today, by)) for by in _GROUPED),
        Section("The machine", _machine(health.today)),
        Section("Quality", _quality(health)),
        Section("How far to trust this", _notes(health)),
    ]


def markdown(health: Health, pictures: Collection[str] = ()) -> str:
    """The report as one Markdown text; ``pictures`` are the charts that lie in ``charts/``.

    It holds counts, names of queues, rules and the like, and ids of cases; nothing of what they
    say.
    """
    parts = [f"# Health of the work, {health.at:%Y-%m-%d %H:%M} UTC"]
    for section in sections(health):
        parts.append(f"## {section.title}")
        if section.chart in pictures:
            parts.append(
                f"![{section.title} by day; the table below says the same]"
                f"(charts/{section.chart}.svg)"
            )
        parts.append("\n".join(section.lines))
    return "\n\n".join(parts) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A Markdown table; the first column names the row."""
    return [
        _line(heads),
        "|---|" + "---:|" * (len(heads) - 1),
        *(_line([str(cell) for cell in row]) for row in rows),
    ]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _alerts(alerts: Sequence[tuple[date, Alert]]) -> list[str]:
    """One line for each measure of a day that moved, with its groups: they tell of one thing."""
    alike: defaultdict[tuple[date, str], list[Alert]] = defaultdict(list)
    better: dict[str, None] = {}
    for day, alert in alerts:
        if alert.worse:
            alike[day, alert.measure].append(alert)
        else:
            better[f"{MEASURES[alert.measure].title.lower()} on {day}"] = None
    lines = [line for (day, _), found in alike.items() for line in _moved(day, found)]
    if better:
        lines += ["", f"Unusual for the better: {', '.join(better)}."]
    return lines or ["Nothing of the last week is too unusual for chance."]


def _moved(day: date, found: Sequence[Alert]) -> list[str]:
    # A queue or a rule is nearer to what can be done than everything or a region.
    first = min(found, key=lambda each: _NEARNESS.index(each.by))
    lines = [f"- {day}: **{first.told()}**. {first.proposal}"]
    others = [_group(each) for each in found if each is not first]
    if others:
        more = f" and {len(others) - NAMED_GROUPS} more" if len(others) > NAMED_GROUPS else ""
        lines.append(f"  So too: {', '.join(others[:NAMED_GROUPS])}{more}.")
    if first.cases:
        cases = ", ".join(f"`{case}`" for case in first.cases[:NAMED_CASES])
        lines.append(f"  Cases: {cases}.")
    return lines


def _group(alert: Alert) -> str:
    return "everything" if alert.by == ALL else f"{alert.by} {alert.group}"


def _risks(risks: Sequence[Risk]) -> list[str]:
    if not risks:
        return ["No clock runs."]
    by_queue: defaultdict[str, list[Risk]] = defaultdict(list)
    for risk in risks:
        by_queue[risk.queue].append(risk)
    rows = [
        (
            queue,
            len(found),
            sum(risk.chance >= CERTAIN for risk in found),
            f"{sum(risk.chance for risk in found):.0f}",
        )
        for queue, found in sorted(by_queue.items())
    ]
    likely = [risk for risk in risks if 0.5 <= risk.chance < CERTAIN][:NAMED_RISKS]
    named = [
        (f"`{r.case}`", r.queue, r.severity, f"{r.due:%m-%d %H:%M}", r.place, f"{r.chance:.0%}")
        for r in likely
    ]
    heads = ("queue", "open clocks", "overdue or certain to be", "expected to be missed")
    lines = [
        "If work goes on at the rate of the last 24 hours, in the order in which it is given out:",
        "",
        *table(heads, rows),
    ]
    if named:
        told = ("case", "queue", "severity", "due, UTC", "place", "chance")
        lines += ["", "Most likely to be missed, and not lost yet:", "", *table(told, named)]
    return lines


def _trend(health: Health, measures: Sequence[str]) -> list[str]:
    days = sorted(health.days)[-TABLE_DAYS:]
    if not days:
        return ["No day is recorded yet."]
    heads = ["day", *(MEASURES[name].title for name in measures)]
    rows = []
    for day in days:
        whole = {row.measure: row for row in health.days[day] if row.by == ALL}
        rows.append([f"{day:%a %Y-%m-%d}", *(_cell(whole.get(name)) for name in measures)])
    return table(heads, rows)


def _cell(row: Row | None) -> str:
    """A figure, with its 90th percentile where it is one of times."""
    if row is None:
        return ""
    kind = MEASURES[row.measure].kind
    shown = figure(kind, row.value)
    return f"{shown} ({figure(kind, row.p90)})" if kind is Kind.LENGTH else shown


def _groups(rows: Sequence[Row], by: str) -> list[str]:
    found: defaultdict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row.by == by:
            found[row.group][row.measure] = row
    kept = {group: cells for group, cells in found.items() if cells.keys() & set(_COLUMNS)}
    if not kept:
        return [f"Nothing today has a {by}."]
    heads = [by, *(MEASURES[name].title for name in _COLUMNS)]
    return table(
        heads,
        [
            [group, *(_cell(cells.get(n)) for n in _COLUMNS)]
            for group, cells in sorted(kept.items())
        ],
    )


def _machine(rows: Sequence[Row]) -> list[str]:
    told = ("automation", "indeterminate", "rule_hits", "provider_failures")
    kept = [
        (
            MEASURES[row.measure].title,
            "" if row.by == ALL else f"{row.by} {row.group}",
            row.n,
            _cell(row),
        )
        for row in rows
        if row.measure in told and row.by in (ALL, "rule", "provider", "signal")
    ]
    if not kept:
        return ["The machine has decided nothing today."]
    return table(("measure", "of", "n", "share"), kept)


def _quality(health: Health) -> list[str]:
    days: list[tuple[str, Sequence[Row]]] = [("today", health.today)]
    days += [(f"{day}", health.days[day]) for day in sorted(health.days, reverse=True)[:7]]
    told = ("reopened", "reversed", "qa_errors", "escalation_precision", "escalation_recall")
    rows = [
        (day, MEASURES[row.measure].title, row.n, _cell(row), _interval(row))
        for day, found in days
        for row in found
        if row.measure in told and row.by == ALL and row.n
    ]
    if not rows:
        return ["Nothing was closed, and no second look settled, in the last week."]
    return table(("day", "measure", "n", "figure", "interval"), rows)


def _interval(row: Row) -> str:
    return "" if row.low is None or row.high is None else f"{row.low:.1%} to {row.high:.1%}"


def _notes(health: Health) -> list[str]:
    compared = max((alert.series for _, alert in health.alerts), default=0)
    lines = [
        f"- An alert stands where chance would bring any on {FALSE_ALARMS:.0%} of quiet days at "
        "the most, all series of a day taken together"
        + (f" ({compared} were compared)." if compared else "."),
        "- Times are medians, with the 90th percentile in brackets; nights and holds are in them.",
        "- Times and promises are of what ended: where nothing ends they look well.",
        f"- {len(health.days)} days are recorded here; today is not over.",
    ]
    lines += [
        f"- {day} was revised (revision {revision}): {', '.join(names)}."
        for day, revision, names in health.revisions
    ]
    return lines


def summary(health: Health) -> dict[str, Any]:
    """What the console and a scraper show, as plain JSON."""
    return {
        "rows": [row.as_dict() for row in health.today],
        "alerts": [{"day": day.isoformat(), **alert.as_dict()} for day, alert in health.alerts],
        "risks": [risk.as_dict() for risk in health.risks[:NAMED_RISKS]],
        "recorded_until": bounds(max(health.days))[1].isoformat() if health.days else None,
        "expected_misses": round(sum(risk.chance for risk in health.risks), 2),
        "sections": [
            {"title": part.title, "chart": part.chart, "text": "\n".join(part.lines)}
            for part in sections(health)
        ],
    }
