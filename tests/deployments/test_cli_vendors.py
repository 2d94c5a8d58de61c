"""``casework vendors`` and where people work, as people type them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from casework.ledger.entries import SYSTEM
from casework.store.engine import reading
from casework.store.ledger import entries_of
from deployments.cli.main import app
from tests.factories.gates import waiting_case


@pytest.fixture(autouse=True)
def _home(engine: Engine, tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)


def run(*words: str, code: int = 0) -> Any:
    """The one JSON document of a command."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


def test_vendors_are_declared_staffed_and_seen_by_their_own_people_alone() -> None:
    run("vendors", "add", "acme", "--title", "Acme")
    run("vendors", "add", "bolt")
    run("vendors", "team", "night", "--site", "manila", "--vendor", "acme")
    run("people", "add", "lea", "--role", "lead")
    run("people", "add", "ana", "--role", "analyst", "--vendor", "acme")
    words = ("--team", "night", "--phase", "ramp", "--since", "2026-01-05")
    assert run("people", "place", "ana", *words)["phase_since"].startswith("2026-01-05")
    run("vendors", "change", "acme", "--access-until", "2099-01-01")
    [row] = run("vendors", "list", "--as", "ana")["vendors"]
    assert (row["id"], row["people"], row["sites"]) == ("acme", 1, ["manila"])
    assert row["access_until"].startswith("2099-01-01")
    assert len(run("vendors", "list", "--as", "lea")["vendors"]) == 2
    assert run("vendors", "show", "acme", "--as", "ana")["people"][0]["team"] == "night"
    hidden = run("vendors", "show", "bolt", "--as", "ana", code=4)["error"]
    missing = run("vendors", "show", "bolt", "--as", "zoe", code=4)["error"]
    assert "among yours" in hidden["message"]
    assert "no person zoe" in missing["message"]
    assert run("people", "access", "ana", "--until", "30d")["access_until"]
    assert run("people", "access", "ana")["access_until"] is None


def test_a_vendors_queues_are_set_shown_and_lifted_and_each_change_is_in_the_history(
    engine: Engine,
) -> None:
    assert run("vendors", "add", "acme", "--queue", "legal")["queues"] == ["legal"]
    run("people", "add", "ana", "--role", "analyst", "--vendor", "acme")
    wrong = run("vendors", "queues", "acme", "--queue", "legl", code=3)["error"]
    assert (wrong["message"], wrong["hint"]) == (
        "there is no queue legl",
        "did you mean `legal`?",
    )
    assert "is given a queue" in run("vendors", "queues", "acme", code=3)["error"]["message"]
    gate = waiting_case(engine, "T-1", queue="mixed")
    run("approvals", "show", gate, "--as", "ana", code=4)
    run("approvals", "claim", gate, "--as", "ana", code=5)
    run("cases", "reverse", "test:T-1", "--reason", "because", "--as", "ana", code=4)
    assert run("approvals", "next", "--as", "ana")["gate"] is None
    assert run("vendors", "queues", "acme", "--queue", "*")["queues"] is None
    assert run("approvals", "next", "--as", "ana")["gate"]["id"] == gate
    with reading(engine) as session:
        told = [orjson.loads(e.body)["data"] for e in entries_of(session, SYSTEM)]
    given = [each["queues"] for each in told if each.get("vendor") == "acme" and "queues" in each]
    assert given[0] == ["legal"]
    assert given[-1] is None


def test_scorecards_are_for_those_who_lead_and_each_vendor_sees_its_own() -> None:
    for vendor in ("acme", "bolt"):
        run("vendors", "add", vendor)
        words = ("--role", "lead", "--vendor", vendor)
        run("people", "add", f"lead-{vendor}", *words)
    run("people", "add", "lea", "--role", "lead")
    run("people", "add", "ana", "--role", "analyst")

    def seen(*words: str) -> list[str]:
        return [card["vendor"] for card in run("vendors", "scorecard", *words)["scorecards"]]

    assert seen("--as", "lea") == ["acme", "bolt", ""]
    assert seen("acme", "--as", "lea") == seen("--as", "lead-acme") == ["acme"]
    hidden = run("vendors", "scorecard", "bolt", "--as", "lead-acme", code=4)["error"]
    unknown = run("vendors", "scorecard", "zzz", "--as", "lead-acme", code=4)["error"]
    assert hidden["message"].replace("bolt", "zzz") == unknown["message"]
    assert run("vendors", "scorecard", "--as", "ana", code=5)["error"]["reason"] == "role"
    words = ("--as", "lea", "--since", "2026-03-02", "--until", "2026-03-01")
    assert "before it begins" in run("vendors", "scorecard", *words, code=3)["error"]["message"]
    page = CliRunner().invoke(app, ["vendors", "scorecard", "--as", "lea"]).stdout
    assert "| our own | 0 |" in page
