"""The commands about who has a gate and about clocks, as somebody types them."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from casework.resources import resource
from deployments.cli.main import app
from tests.factories.escalation import (
    HOUR,
    MINUTE,
    actions,
    add_everybody,
    assignment_at,
    timed_case,
)


@pytest.fixture(autouse=True)
def home(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that point at an empty store and at no Prefect server."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("CASEWORK_ACTOR", "CASEWORK_POLICY_DIR", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)


@pytest.fixture
def gate(engine: Engine) -> str:
    """A gate that has just opened, and people."""
    add_everybody(engine)
    return timed_case(engine, severity="P2", opened_at=datetime.now(UTC))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def document(*words: str, code: int = 0) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


def test_a_gate_is_claimed_held_resumed_and_released(engine: Engine, gate: str) -> None:
    claimed = document("approvals", "claim", gate, "--as", "ana")["gate"]
    assert (claimed["id"], claimed["holder"], claimed["locked"]) == (gate, "ana", False)
    words = ("approvals", "hold", gate, "--as", "ana", "--reason", "vendor", "--follow-up")
    held = document(*words, "24h")["gate"]
    assert (held["hold_reason"], held["due_at"]) == ("vendor", None)
    assert document("approvals", "resume", gate, "--as", "ana")["gate"]["hold_reason"] is None
    day = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="minutes")
    assert document(*words, day)["gate"]["follow_up_at"] == day.replace("+", ":00+")
    assert document("approvals", "release", gate, "--as", "ana")["gate"]["holder"] is None
    assert actions(engine, gate) == [
        "gate.claimed",
        "gate.held",
        "gate.resumed",
        "gate.held",
        "gate.released",
    ]


@pytest.mark.parametrize("when", ["soon", "2d", "2030-03-05T09:00"])
def test_a_follow_up_date_that_is_none_is_refused_with_an_example(gate: str, when: str) -> None:
    document("approvals", "claim", gate, "--as", "ana")
    words = ("approvals", "hold", gate, "--as", "ana", "--reason", "vendor", "--follow-up", when)
    assert "for example" in document(*words, code=3)["error"]["hint"]


def test_who_comes_second_is_told_who_was_first(gate: str) -> None:
    document("approvals", "claim", gate, "--as", "ana")
    refused = document("approvals", "claim", gate, "--as", "ben", code=5)["error"]
    assert (refused["code"], refused["reason"]) == ("conflict", "held")
    assert refused["message"] == "ana has this gate"
    assert document("approvals", "claim", gate, "--as", "lou", "--take-over")["gate"]["holder"] == (
        "lou"
    )


def test_a_lead_assigns_and_a_holder_hands_over(engine: Engine, gate: str) -> None:
    given = document("approvals", "assign", gate, "ben", "--as", "lou")["gate"]
    assert (given["holder"], given["lease_until"]) == ("ben", None)
    passed = document("approvals", "hand-over", gate, "legal", "--as", "ben")["gate"]
    assert (passed["queue"], passed["owner"], passed["holder"]) == ("legal", "ben", None)
    assert assignment_at(engine, gate).owner_queue == "general"


def test_the_next_gate_is_the_most_urgent_that_one_may_answer(engine: Engine, gate: str) -> None:
    now = datetime.now(UTC)
    urgent = timed_case(engine, "T-2", severity="P1", opened_at=now)
    sooner = timed_case(engine, "T-3", severity="P1", opened_at=now - HOUR, queue="mixed")
    timed_case(engine, "T-4", severity="P0", opened_at=now, queue="legal")
    assert document("approvals", "next", "--as", "ana")["gate"]["id"] == sooner
    assert document("approvals", "next", "--as", "ana", "--claim")["gate"]["holder"] == "ana"
    assert document("approvals", "next", "--as", "ben")["gate"]["id"] == urgent
    assert document("approvals", "next", "--as", "ana")["gate"]["id"] == sooner, "it is hers"
    assert document("approvals", "next", "--as", "aud")["gate"] is None
    document("approvals", "hold", sooner, "--as", "ana", "--reason", "vendor", "--follow-up", "2h")
    assert document("approvals", "next", "--as", "ana")["gate"]["id"] == urgent
    assert document("approvals", "next", "--as", "nobody", code=4)["error"]["code"] == "not_found"


def test_clocks_are_listed_by_when_they_are_due(engine: Engine, gate: str) -> None:
    late = timed_case(engine, "T-2", severity="P0", opened_at=datetime.now(UTC) - 50 * MINUTE)
    rows = document("clocks", "list")["clocks"]
    assert [(row["gate"], row["clock"]) for row in rows] == [
        (late, "first_touch"),
        (late, "decision"),
        (gate, "first_touch"),
        (gate, "decision"),
    ]
    assert [row["used"] for row in rows[:2]] == [333, 83]
    [missed] = document("clocks", "list", "--breached")["clocks"]
    assert (missed["gate"], missed["clock"]) == (late, "first_touch")
    assert len(document("clocks", "list", "--due-within", "30m")["clocks"]) == 2
    assert len(document("clocks", "list", "--queue", "legal")["clocks"]) == 0
    assert len(document("clocks", "list", "--limit", "1")["clocks"]) == 1
    assert document("clocks", "list", "--due-within", "soon", code=3)["error"]["code"] == "input"


def test_a_ladder_can_be_tried_before_it_is_adopted(tmp_path: Path) -> None:
    words = ("clocks", "simulate", "--severity", "P0", "--at", "2026-03-02T09:00:00")
    told = document(*words, "--queue", "child_safety")
    assert told["opened_at"] == "2026-03-02T09:00:00+00:00"
    steps = [(each["step"], each["moment"][11:16], each["locked"]) for each in told["steps"]]
    assert steps == [
        ("page_on_call", "09:00", False),
        ("untouched", "09:10", False),
        ("halfway", "09:15", False),
        ("overdue", "09:30", True),
        ("overdue_page", "09:30", True),
    ]
    copy = shutil.copytree(resource("policies/default"), tmp_path / "candidate")
    ladders = copy / "ladders.yaml"
    ladders.write_text(ladders.read_text().replace("halfway, at: 50%", "halfway, at: 60%"))
    moved = document(*words, "--queue", "child_safety", "--policy", str(copy))["steps"]
    assert moved[2]["moment"][11:16] == "09:18"
    assert "did you mean" in document(*words, "--queue", "fraudd", code=3)["error"]["hint"]
