"""The audit and schema commands, as they are typed."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from casework.store.engine import open_engine
from deployments.cli import audit, db
from tests.factories.ledger import drafts, tamper, write


@pytest.fixture
def ledger(
    engine: Engine, store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Engine:
    """A store with entries, which the commands find by the environment."""
    # The commands point Prefect at their home folder: give the environment back afterwards.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    write(engine, drafts(3, 2))
    return engine


def run(*arguments: str, app: Any = audit.app) -> Result:
    return CliRunner().invoke(app, list(arguments))


def document(result: Result) -> Any:
    return orjson.loads(result.stdout)


def test_checkpoint_seals_and_prints_a_note_that_verify_takes_as_a_witness(
    ledger: Engine, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    note.write_text(run("checkpoint").stdout)
    verified = run("verify", "--witness", str(note), "--sealed", "--json")
    assert verified.exit_code == 0
    assert document(verified)["sealed"] == 6
    assert document(run("checkpoint", "--json"))["added"] == 0


def test_verify_names_the_fault_and_exits_with_8(ledger: Engine) -> None:
    run("checkpoint")
    tamper(ledger, "DELETE FROM ledger_entries WHERE id = 6")
    verified = run("verify", "--json")
    assert verified.exit_code == 8
    assert document(verified)["fault"]["kind"] == "count"
    assert "count fault at checkpoint 6, first at leaf 5" in verified.stderr


def test_entries_not_sealed_are_a_fault_when_asked(ledger: Engine) -> None:
    run("checkpoint")
    write(ledger, drafts(1, 1))
    assert run("verify").exit_code == 0
    assert run("verify", "--sealed").exit_code == 8


def test_an_export_is_written_and_checked(ledger: Engine, tmp_path: Path) -> None:
    key = document(run("checkpoint", "--json"))["verifier"]
    path = tmp_path / "export.jsonl"
    assert document(run("export", "-o", str(path), "--json"))["entries"] == 6
    good = run("verify", "--export", str(path), "--key", key, "--json")
    assert (good.exit_code, document(good)["key_given"]) == (0, True)
    unproved = run("verify", "--export", str(path))
    assert unproved.exit_code == 0
    assert "taken from the file itself" in unproved.stderr
    path.write_bytes(path.read_bytes()[:-20])
    bad = run("verify", "--export", str(path), "--json")
    assert bad.exit_code == 8
    assert document(bad)["error"]["message"].startswith("line 7:")


def test_one_case_is_exported_to_standard_output(ledger: Engine) -> None:
    run("checkpoint")
    lines = run("export", "--case", "c1").stdout.splitlines()
    assert [orjson.loads(line).get("leaf") for line in lines] == [None, 1, 4]


def test_show_prints_what_happened_to_a_case(ledger: Engine) -> None:
    shown = document(run("show", "c1", "--json"))
    assert [entry["position"] for entry in shown] == [0, 1]
    assert "case.opened" in run("show", "c1").stdout
    assert run("show", "c9").exit_code == 4


def test_verify_does_not_make_a_key(ledger: Engine, tmp_path: Path) -> None:
    assert run("verify").exit_code == 3
    assert not (tmp_path / "home" / "keys").exists()


@pytest.mark.parametrize("arguments", [("--export", "absent"), ("--export", "/")])
def test_a_file_that_cannot_be_read_is_named(ledger: Engine, arguments: tuple[str, ...]) -> None:
    result = run("verify", *arguments)
    assert result.exit_code == 3
    assert "cannot be read" in result.stderr


def test_the_schema_is_upgraded_once(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", empty_url)
    assert run("check", app=db.app).exit_code == 6
    assert document(run("upgrade", "--json", app=db.app))["changed"] is True
    assert document(run("upgrade", "--json", app=db.app))["changed"] is False
    assert run("check", app=db.app).exit_code == 0
    open_engine(empty_url).dispose()
