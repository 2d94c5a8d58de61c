"""The report for leads: what it says, and that its HTML needs nothing else."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

from casework.health.alerts import Alert
from casework.health.charts import charts
from casework.health.forecast import Risk
from casework.health.page import html
from casework.health.proposals import Load, propose
from casework.health.report import Health, markdown, sections, summary
from casework.health.rows import Row

NOW = datetime(2026, 3, 30, 9, 30, tzinfo=UTC)
DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(28)]


def rows(number: int, queue: str = "general") -> list[Row]:
    return [
        Row("gates_opened", "all", "all", number, float(number)),
        Row("gates_decided", "all", "all", number - 1, float(number - 1)),
        Row("decision_time", "all", "all", number, 5400.0, p90=9000.0, p99=9900.0),
        Row("decision_time", "queue", queue, number, 5400.0, p90=9000.0, p99=9900.0),
        Row("sla_decision", "all", "all", number, 0.9, number - 1),
        Row("qa_errors", "all", "all", 40, 0.05, 2, 0.01, 0.17),
    ]


def alert(**more: object) -> Alert:
    given = {"measure": "rule_hits", "by": "rule", "group": "spam", "value": 0.6, "expected": 0.2}
    rest = {"n": 500, "p": 1e-9, "adjusted_p": 1e-7, "series": 90, "method": "m", "worse": True}
    return Alert(**{**given, **rest, **more})  # type: ignore[arg-type]


HEALTH = Health(
    at=NOW,
    today=rows(7, queue="<b>odd|queue</b>"),
    days={day: rows(10 + n) for n, day in enumerate(DAYS)},
    alerts=[
        (DAYS[-1], alert(cases=("c1", "c2")).with_advice(["c1"], "Narrow it.")),
        (DAYS[-1], alert(by="region", group="fr")),
        (DAYS[-2], alert(measure="decision_time", value=60.0, expected=600.0, worse=False)),
    ],
    risks=[
        Risk("g1", "c9", "general", "P1", NOW + timedelta(hours=1), 3, 0.8),
        Risk("g2", "c8", "general", "P2", NOW - timedelta(hours=1), 1, 1.0),
    ],
    revisions=[(DAYS[3], 2, ["volume"])],
)


def test_the_report_tells_first_what_asks_for_somebody() -> None:
    text = markdown(HEALTH)
    assert "**Decided by rule, rule spam: 60.0%, where 20.0% was expected**. Narrow it." in text
    assert "So too: region fr." in text
    assert "Unusual for the better: time to decision on 2026-03-27" in text
    assert "| general | 2 | 1 | 2 |" in text
    assert "| `c9` | general | P1 | 03-30 10:30 | 3 | 80% |" in text
    assert "| Sat 2026-03-28 | 1.5 h (2.5 h) |" in text
    assert "| today | Decisions found wrong | 40 | 5.0% | 1.0% to 17.0% |" in text
    assert "2026-03-04 was revised (revision 2): volume." in text
    assert text.index("What asks for you") < text.index("What will be missed")
    assert "](charts/" not in text
    pictured = markdown(HEALTH, {"flow"})
    assert [name in pictured for name in ("](charts/flow.svg)", "](charts/times.svg)")] == [
        True,
        False,
    ]
    assert summary(HEALTH)["expected_misses"] == 1.8


def test_an_empty_store_has_a_report_too() -> None:
    empty = Health(at=NOW, today=[], days={}, alerts=[], risks=[])
    assert "Nothing of the last week is too unusual" in markdown(empty)
    assert charts(empty) == {}
    assert html(empty, {}).count("<h2>") == len(sections(empty))


class Tags(HTMLParser):
    """Every tag of a page, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_nothing_else_and_has_a_table_beside_each_chart() -> None:
    drawn = charts(HEALTH)
    assert set(drawn) == {"flow", "times", "promises"}
    page = html(HEALTH, drawn)
    tags = Tags(page).found
    names = [tag for tag, _ in tags]
    assert names.count("figure") == names.count("svg") == 3
    assert {"script", "img", "link", "iframe", "b"}.isdisjoint(names)
    assert not [attrs for _, attrs in tags if {"src", "href", "xlink:href"} & attrs.keys()]
    assert "url(http" not in page
    for label in [attrs["aria-label"] for tag, attrs in tags if tag == "figure"]:
        assert "the table below says the same" in str(label)
    for part in page.split("</figure>")[1:]:
        assert part.lstrip().startswith("<table>")
    assert all(attrs.get("scope") == "col" for tag, attrs in tags if tag == "th")
    assert re.search(r"&lt;b&gt;odd\|queue&lt;/b&gt;", page)


def test_a_proposal_fits_what_has_moved() -> None:
    assert "spam may be too broad" in propose(alert(), None)
    fewer = replace(alert(), value=0.01)
    assert "spam decides less" in propose(fewer, None)
    assert "silent" in propose(alert(measure="volume", value=0.0, expected=50.0), None)
    load = Load("general", 480, 600.0, 900.0, 24.0, 4)
    # 480 of ten minutes a day are 3 1/3 at once; five begin 90 % within 15 minutes; that is
    # 15 people in shifts of eight hours.
    assert load.short_by == 11
    slow = alert(measure="decision_time", by="queue", group="general", value=9e4, expected=9e3)
    assert "short by 11: 4 decided there" in propose(slow, load)
    assert "on hold" in propose(slow, replace(load, people=40))
