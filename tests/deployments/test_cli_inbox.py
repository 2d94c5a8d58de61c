"""``casework inbox`` and people's accounts, as they are typed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from casework.inbox.posts import Vendor
from casework.store.engine import reading
from casework.store.gates import gate_by_id
from deployments.cli.main import app
from tests.factories.gates import add_people, waiting_case
from tests.factories.inbox import arrive, click
from tests.factories.posts import inbox_file, source


@pytest.fixture(autouse=True)
def declared(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that declare Slack and Jira, and no Prefect server."""
    # The commands point Prefect at their home folder: give the environment back afterwards.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    entries = {each.value: source(each, tmp_path) for each in (Vendor.SLACK, Vendor.JIRA)}
    monkeypatch.setenv("CASEWORK_INBOX_FILE", str(inbox_file(tmp_path, **entries)))
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def run(*words: str) -> tuple[int, Any]:
    """The exit code and the JSON document of a command."""
    done = CliRunner().invoke(app, [*words, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_what_cannot_be_understood_is_listed_shown_retried_and_given_up(engine: Engine) -> None:
    message = arrive(engine, Vendor.JIRA, b'{"issue": "geheim"}')
    assert run("inbox", "drain") == (
        0,
        {"outcomes": {"failed": 1}, "decided": [], "woken": False},
    )
    _, listed = run("inbox", "list")
    [row] = listed["messages"]
    assert (row["id"], row["outcome"], row["vendor"]) == (message, "input", "jira")
    assert "geheim" not in json.dumps(listed)
    assert run("inbox", "show", message)[1]["body"] == '{"issue": "geheim"}'
    assert run("inbox", "retry", message)[1]["status"] == "waiting"
    assert run("inbox", "retry", message)[0] == 5
    assert run("inbox", "drain")[1]["outcomes"] == {"failed": 1}
    assert run("inbox", "discard", message, "--reason", "a test")[1]["status"] == "discarded"
    assert run("inbox", "list")[1]["messages"] == []
    assert len(run("inbox", "list", "--status", "all")[1]["messages"]) == 1
    assert run("inbox", "list", "--status", "gone")[0] == 3
    assert run("inbox", "show", "m0")[0] == 4


def test_an_account_that_is_linked_decides_and_one_that_is_unlinked_does_not(
    engine: Engine,
) -> None:
    add_people(engine)
    first, second = waiting_case(engine, "T-1"), waiting_case(engine, "T-2")
    account = ("--system", "slack", "--id", "U1")
    assert run("people", "link", "ana", *account)[1]["person"] == "ana"
    assert [row["external_id"] for row in run("people", "accounts")[1]["accounts"]] == ["U1"]
    arrive(engine, Vendor.SLACK, click(first, "U1"))
    assert run("inbox", "drain")[1]["decided"] == [first]
    assert run("people", "unlink", "ana", *account)[0] == 0
    assert run("people", "unlink", "ana", *account)[0] == 4
    arrive(engine, Vendor.SLACK, click(second, "U1", external_id="T-2"))
    assert run("inbox", "drain")[1]["outcomes"] == {"denied": 1}
    with reading(engine) as session:
        assert gate_by_id(session, first).status == "decided"
        assert gate_by_id(session, second).status == "open"


def test_sources_are_listed_without_their_secrets(tmp_path: Path) -> None:
    code, listed = run("inbox", "sources")
    assert code == 0
    assert [(row["id"], row["secrets"]) for row in listed["sources"]] == [("jira", 1), ("slack", 1)]
    assert "whsec" not in json.dumps(listed)
    (tmp_path / "jira.secret").unlink()
    missing = run("inbox", "sources")[1]["sources"][0]
    assert (missing["secrets"], missing["missing"]) == (0, ["file jira.secret"])


def test_without_a_file_of_sources_the_receiver_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CASEWORK_INBOX_FILE")
    done = CliRunner().invoke(app, ["receiver"])
    assert done.exit_code == 3
    assert "CASEWORK_INBOX_FILE" in done.stderr
    assert run("inbox", "sources")[0] == 3


def test_a_source_without_a_secret_stops_the_receiver_before_it_listens(tmp_path: Path) -> None:
    (tmp_path / "jira.secret").unlink()
    done = CliRunner().invoke(app, ["receiver"])
    assert done.exit_code == 3
    assert "source jira has no secret" in done.stderr.replace("\n", " ")
