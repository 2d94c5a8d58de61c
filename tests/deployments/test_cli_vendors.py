"""``casework vendors`` and where people work, as people type them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from deployments.cli.main import app


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
