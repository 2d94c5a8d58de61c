"""What a scraper is told: today's figures in Prometheus's form, soon, whatever the store does."""

import threading
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from casework.errors import StoreError
from casework.health.exposition import exposition
from casework.settings import Settings
from casework.store.engine import transaction
from casework.store.health.taking import keep_snapshot
from deployments.receiver.app import create_app
from deployments.receiver.metrics import Metrics, Seen, metrics_of
from tests.deployments.test_receiver import Shelf
from tests.factories.escalation import timed_case
from tests.factories.gates import NOW

pytestmark = pytest.mark.anyio

ROWS = [
    {"measure": "backlog", "by": "queue", "group": 'le"gal', "n": 7, "value": 7.0},
    {"measure": "sla_decision", "by": "all", "group": "all", "n": 9, "value": 0.5, "hits": 4},
    {"measure": "decision_time", "by": "all", "group": "all", "n": 3, "value": 60.0, "p90": 90.0},
    {"measure": "backlog", "by": "queue and severity", "group": "legal P0", "n": 7, "value": 7.0},
]
ALERT = {"day": "2026-03-01", "measure": "volume", "by": "all", "group": "all", "worse": True}
FIGURES = {
    "rows": ROWS,
    "alerts": [ALERT, {**ALERT, "measure": "decision_time", "worse": False}],
    "expected_misses": 2.5,
    "recorded_until": "2026-03-02T00:00:00+00:00",
}


def names(text: bytes) -> dict[tuple[str, str], float]:
    """Every sample by its name and its labels."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_figures_are_told_with_their_units() -> None:
    told = names(exposition(FIGURES, NOW - timedelta(minutes=2), NOW))
    assert told == {
        ("casework_backlog", 'queue,le"gal'): 7.0,
        ("casework_sla_decision_ratio", "all,all"): 0.5,
        ("casework_decision_time_seconds", "all,all,0.5"): 60.0,
        ("casework_decision_time_seconds", "all,all,0.9"): 90.0,
        ("casework_alert", "all,2026-03-01,all,volume"): 1.0,
        ("casework_expected_misses", ""): 2.5,
        ("casework_recorded_until_seconds", ""): 1772409600.0,
        ("casework_health_age_seconds", ""): 120.0,
    }
    assert names(exposition(None, None, NOW)) == {}


async def test_fresh_figures_are_shown_as_they_are_and_old_ones_worked_out() -> None:
    asked: list[str] = []

    def anew() -> Seen:
        asked.append("anew")
        return Seen({"expected_misses": 1.0}, NOW)

    def kept(minutes: int) -> Seen:
        return Seen({"expected_misses": 5.0}, NOW - timedelta(minutes=minutes))

    fresh = Metrics(lambda: kept(4), anew, lambda: NOW)
    assert names(await fresh.text())["casework_expected_misses", ""] == 5.0
    assert asked == []
    old = Metrics(lambda: kept(6), anew, lambda: NOW)
    assert names(await old.text())["casework_expected_misses", ""] == 1.0


async def test_a_scrape_waits_for_nobody_and_nothing_is_worked_out_twice_at_once() -> None:
    gate, asked = threading.Event(), []

    def slow() -> Seen:
        asked.append("anew")
        gate.wait(10)
        return Seen({"expected_misses": 1.0}, NOW)

    def kept() -> Seen:
        return Seen({"expected_misses": 5.0}, NOW - timedelta(hours=1))

    metrics = Metrics(kept, slow, lambda: NOW, wait_seconds=0.01)
    for _ in range(3):
        told = names(await metrics.text())
        assert told["casework_expected_misses", ""] == 5.0
        assert told["casework_health_age_seconds", ""] == 3600.0
    assert asked == ["anew"]
    gate.set()


async def test_what_took_long_is_not_worked_out_again_soon() -> None:
    now, asked = [NOW], []

    def costly() -> Seen:
        asked.append("anew")
        now[0] += timedelta(minutes=1)
        return Seen({}, now[0] - timedelta(hours=1))

    metrics = Metrics(lambda: None, costly, lambda: now[0])
    for minutes in (0, 19, 2):
        now[0] += timedelta(minutes=minutes)
        await metrics.text()
    assert len(asked) == 2


async def test_a_store_that_does_not_answer_leaves_what_was_seen() -> None:
    def gone() -> Seen:
        raise StoreError("the store does not answer")

    assert names(await Metrics(gone, gone, lambda: NOW).text()) == {}


async def test_the_receiver_shows_the_figures_of_its_store(engine: Engine, tmp_path: Path) -> None:
    timed_case(engine, "secret-1")
    settings = Settings(home=tmp_path, database_url=str(engine.url.render_as_string(False)))

    async def ready() -> bool:
        return True

    metrics = metrics_of(settings, engine, wait_seconds=60)
    app = create_app({}, Shelf(), clock=lambda: NOW, ready=ready, metrics=metrics.text)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    told = names(answer.content)
    assert told["casework_backlog", "queue,general"] == 1.0
    assert told["casework_expected_misses", ""] == 1.0
    assert "secret" not in answer.text
    with transaction(engine) as session:
        keep_snapshot(session, FIGURES, {}, NOW + timedelta(days=9999))
    assert names(await metrics.text())["casework_backlog", 'queue,le"gal'] == 7.0
