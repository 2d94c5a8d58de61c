"""The commands about how the work goes, as somebody types them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from casework.store.assignment import claim
from casework.store.clocks import end_clocks
from casework.store.engine import transaction
from casework.store.health.days import record_day
from deployments.cli.main import app
from tests.factories.escalation import HOUR, LEASE, MINUTE, add_everybody, person, timed_case
from tests.factories.gates import BY
from tests.factories.policy import CLOCKS, FILES

NOW = datetime.now(UTC)

#: What the commands ask of the store is tested on either database there.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def home(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that point at an empty store and a small policy."""
    policy = tmp_path / "policy"
    policy.mkdir()
    for name, text in {**FILES, **CLOCKS}.items():
        (policy / name).write_text(text)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(policy))


def document(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


def work(engine: Engine, number: int) -> None:
    """Gates of the last hours, each decided a quarter of an hour after it was claimed."""
    add_everybody(engine)
    for place in range(number):
        opened = NOW - 30 * HOUR + place * HOUR
        gate = timed_case(engine, f"T-{place}", severity="P3", opened_at=opened)
        with transaction(engine) as session:
            claim(session, gate, LEASE, person("ana"), opened + 5 * MINUTE)
            end_clocks(session, gate, opened + 20 * MINUTE)


def test_staffing_and_the_report_come_from_the_stores_own_stream(
    engine: Engine, tmp_path: Path
) -> None:
    work(engine, 24)
    words = ("health", "staffing", "--queue", "general", "--target", "0.9")
    told = document(*words, "--days", "2")
    assert (told["arrivals"], told["handling_seconds"], told["people"]) == (24, 900.0, 1)
    assert [each["people"] for each in told["outcomes"]] == [1, 2, 3]
    assert told["erlang_c"] == 1
    long = document(*words, "--days", "2", "--handling", "3h", "--within", "10m")
    assert long["people"] > long["load_erlangs"] > 1
    folder = tmp_path / "report"
    written = document("health", "report", "--out", str(folder))
    assert {"health.md", "health.html"} <= set(written["files"])
    assert "# Health of the work" in (folder / "health.md").read_text()
    for wrong, code in (
        (("--queue", "generl", "--target", "0.9"), 3),
        (("--queue", "general", "--target", "90"), 3),
        (("--queue", "legal", "--target", "0.9"), 3),
    ):
        assert document("health", "staffing", *wrong, code=code)["error"]["hint"]


def test_metrics_are_of_today_or_of_a_recorded_day(engine: Engine) -> None:
    work(engine, 3)
    today = document("metrics", "--by", "queue")
    assert today["day"] == datetime.now(UTC).date().isoformat()
    assert {row["by"] for row in today["rows"]} <= {"queue"}
    assert (today["risks"], today["expected_misses"]) == ([], 0)
    day = (NOW - timedelta(days=2)).date()
    row = {"measure": "volume", "by": "all", "group": "all", "n": 3, "value": 3.0}
    with transaction(engine) as session:
        record_day(session, day, {"rows": [row], "alerts": []}, BY, NOW)
    kept = document("metrics", "--day", day.isoformat())
    assert (kept["revision"], kept["rows"]) == (1, [row])
    assert document("metrics", "--day", "2020-01-01", code=4)["error"]["code"] == "not_found"
    assert document("metrics", "--day", "yesterday", code=3)["error"]["code"] == "input"
    assert document("metrics", "--measure", "volum", code=3)["error"]["hint"]
    shown = CliRunner().invoke(app, ["metrics", "--day", day.isoformat()])
    assert "Cases opened" in shown.output
