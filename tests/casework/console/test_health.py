"""The health page: what a lead is shown, and that a browser would load all of it."""

from datetime import timedelta

from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.health.regions import Region
from casework.health.report import summary
from casework.store.engine import reading, transaction
from casework.store.health.reports import read_health
from casework.store.health.taking import keep_snapshot
from casework.store.people import add_person
from casework.store.tables import CaseRestriction
from tests.casework.console.conftest import SignIn
from tests.factories.escalation import timed_case
from tests.factories.gates import BY, NOW

CASE = f"c{'0123456789' * 2}"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def lead(engine: Engine, signed_in: SignIn) -> TestClient:
    """A lead, signed in."""
    with transaction(engine) as session:
        add_person(session, "led", name="led", roles=["lead"], queues=["*"], by=BY, now=NOW)
    return signed_in("led")


def test_before_the_first_run_the_page_says_what_is_to_come(
    signed_in: SignIn, engine: Engine
) -> None:
    browser = lead(engine, signed_in)
    assert "does so every hour" in browser.get("/leads/health").text
    assert browser.get("/leads/health/flow.svg").status_code == 404


def test_the_report_is_shown_with_its_charts_and_links_to_cases(
    signed_in: SignIn, engine: Engine
) -> None:
    timed_case(engine, "secret-1", severity="P1", opened_at=NOW - timedelta(minutes=5))
    with reading(engine) as session:
        figures = summary(read_health(session, Region("country"), NOW))
    mischief = {"title": "Odd", "chart": "", "text": "| q |\n|---|\n| <script>x</script> |"}
    figures["sections"] += [{"title": "T", "chart": "flow", "text": f"- `{CASE}`"}, mischief]
    with transaction(engine) as session:
        keep_snapshot(session, figures, {"flow": SVG}, NOW - timedelta(minutes=20))
    browser = lead(engine, signed_in)
    page = browser.get("/leads/health").text
    assert "20 min" in page
    assert '<img class="chart" src="/leads/health/flow.svg"' in page
    assert 'style="' not in page, "the policy of content lets no inline style through"
    assert "<script>x" not in page
    assert "secret" not in page
    assert f'<a href="/cases/{CASE}"><code>{CASE}</code></a>' in page
    chart = browser.get("/leads/health/flow.svg")
    assert (chart.headers["content-type"], chart.text) == ("image/svg+xml", SVG)
    assert browser.get("/leads/health/other.svg").status_code == 404
    with transaction(engine) as session:
        added = CaseRestriction(
            case_id=CASE, alias="r1", reason="because", restricted_by="lou", restricted_at=NOW
        )
        session.add(added)
    assert CASE not in browser.get("/leads/health").text, "restricted after it was named"
    for who in ("ana", "aud"):
        assert signed_in(who).get("/leads/health/flow.svg").status_code == 403
