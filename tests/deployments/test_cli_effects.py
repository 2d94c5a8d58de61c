"""``casework effects`` and ``casework cases reverse``, as they are typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from casework.answering import answer_gate
from casework.errors import ProviderRefused
from casework.store.carrying import carry_out
from casework.store.engine import transaction
from casework.store.sending import note_failure
from deployments.cli.main import app
from tests.factories.effects import LEAVING, effect, leaving_bundle, queue, take, written
from tests.factories.gates import BY, NOW, add_people, answer, waiting_case


@pytest.fixture(autouse=True)
def surroundings(
    engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(written(tmp_path / "policy", LEAVING)))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")


def run(*words: str) -> tuple[int, Any]:
    """The exit code and the JSON document of a command."""
    done = CliRunner().invoke(app, [*words, "--json"])
    return done.exit_code, json.loads(done.stdout)


def plain(*words: str) -> str:
    """What a command prints for people."""
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def dead(engine: Engine, key: str) -> None:
    queue(engine, effect(key, destination="desk", case_id=None))
    [claimed] = take(engine, destination="desk")
    with transaction(engine) as session:
        note_failure(session, claimed, ProviderRefused("no such ticket"), None, BY, NOW)


def test_effects_are_listed_shown_and_sent(engine: Engine) -> None:
    queue(engine, effect("a", destination="desk"), effect("b", destination="platform"))
    assert run("effects", "send") == (0, {"sent": 1, "failed": 0, "dead": 0, "held": 1})
    _, listed = run("effects", "list", "--status", "waiting")
    assert [each["key"] for each in listed["effects"]] == ["b"]
    _, shown = run("effects", "show", "a")
    assert shown["effect"]["status"] == "sent"
    assert [each["outcome"] for each in shown["attempts"]] == ["sent"]
    assert "record-" in plain("effects", "show", "a")


def test_a_dead_effect_is_retried_or_given_up(engine: Engine) -> None:
    dead(engine, "a")
    dead(engine, "b")
    assert "no such ticket" in plain("effects", "show", "a")
    assert run("effects", "retry", "a")[1]["status"] == "waiting"
    assert run("effects", "send")[1]["sent"] == 1
    assert run("effects", "discard", "b", "--reason", "done by hand")[1]["status"] == "discarded"
    assert run("effects", "retry", "a")[0] == 5
    assert run("effects", "show", "unknown")[0] == 4
    assert run("effects", "list", "--status", "lost")[0] == 3


def test_destinations_say_whether_they_are_set_up_and_what_waits(engine: Engine) -> None:
    queue(engine, effect("a", destination="platform"))
    dead(engine, "b")
    _, document = run("effects", "destinations")
    assert [
        (each["id"], each["set_up"], each["breaker"], each["waiting"], each["dead"])
        for each in document["destinations"]
    ] == [("platform", False, "closed", 1, 0), ("desk", True, "closed", 0, 1)]


def suspended(engine: Engine) -> str:
    add_people(engine)
    gate = waiting_case(engine, bundle=leaving_bundle())
    answer_gate(engine, gate, "ana", answer(action="suspend"), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    return gate


def test_what_was_done_about_a_case_is_undone(engine: Engine) -> None:
    gate = suspended(engine)
    words = ("cases", "reverse", "test:T-1", "--reason", "wrong account", "--as")
    assert run(*words, "aud")[0] == 5
    code, done = run(*words, "ben")
    assert (code, done["reverses"], done["action"], done["missing"]) == (
        0,
        "suspend",
        "unsuspend",
        0,
    )
    _, listed = run("effects", "list", "--case", "test:T-1")
    assert [each["key"] for each in listed["effects"]] == [
        f"act:{gate}:platform",
        f"reverse:{gate}:platform",
    ]
    assert run(*words, "ben")[0] == 5, "nothing stands any more"
