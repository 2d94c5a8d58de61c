"""``casework quarantine``, as it is typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from deployments.cli.quarantine import app
from tests.factories.intake import row, rows_file, taken_in


@pytest.fixture(autouse=True)
def bad_rows(
    engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    taken_in(engine, rows_file(tmp_path / "a.jsonl", row("T-1"), {"body": "x"}, b"\xff"))


def run(*words: str) -> tuple[int, Any]:
    """The exit code and the JSON document of a command."""
    done = CliRunner().invoke(app, [*words, "--json"])
    return done.exit_code, json.loads(done.stdout)


def ids() -> list[str]:
    _, document = run("list")
    return [each["id"] for each in document["rows"]]


def test_rows_are_listed_without_and_shown_with_their_bytes() -> None:
    code, document = run("list")
    assert code == 0
    assert [each["reason"] for each in document["rows"]] == ["missing_field", "invalid_utf8"]
    assert all("raw" not in each for each in document["rows"])
    _, shown = run("show", ids()[1])
    assert shown["raw"] == "\\xff"


def test_a_retry_opens_the_case_or_says_why_not(tmp_path: Path) -> None:
    first, second = ids()
    code, refused = run("retry", first)
    assert (code, refused["error"]["reason"]) == (3, "missing_field")
    assert run("retry", first, "--set", "external_id=T-2")[1]["outcome"] == "opened"
    data = tmp_path / "fixed.json"
    data.write_bytes(b'{"external_id": "T-3"}\n')
    assert run("retry", second, "--data", str(data))[1]["outcome"] == "opened"
    assert ids() == []
    assert run("retry", first)[0] == 5


def test_a_discarded_row_waits_no_more() -> None:
    first, second = ids()
    assert run("discard", first, "--reason", "test data")[1]["status"] == "discarded"
    assert ids() == [second]
    assert len(run("list", "--status", "all")[1]["rows"]) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list", "--status", "lost"), 3),
        (("show", "q0"), 4),
        (("retry", "q0"), 4),
        (("retry", "q0", "--set", "nothing"), 3),
        (("retry", "q0", "--data", "/nowhere/at/all"), 3),
        (("retry", "q0", "--mapping", "/nowhere/at/all"), 3),
    ],
)
def test_what_cannot_be_done_ends_with_its_exit_code(words: tuple[str, ...], code: int) -> None:
    ended, document = run(*words)
    assert ended == code
    assert document["error"]["message"]
