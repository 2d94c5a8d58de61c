"""The commands for cases, approvals and people, and what holds for every command."""

import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from casework.resources import resource
from casework.store.engine import reading
from casework.store.ledger import entries_of
from casework.store.tables import Gate
from deployments.cli.main import app
from tests.factories.gates import add_people, evidence_of, waiting_case
from tests.factories.intake import actions_in


@pytest.fixture(autouse=True)
def home(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that point at an empty store and at no Prefect server."""
    # The commands point Prefect at their home folder: give the environment back afterwards.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("CASEWORK_ACTOR", "CASEWORK_POLICY_DIR", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    return tmp_path / "home"


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case that waits in the general queue, and people."""
    add_people(engine)
    return waiting_case(engine, "T-1")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def document(*words: str, code: int = 0) -> Any:
    """The one JSON document on standard output of a command."""
    done = run(*words, "--json")
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


def decide(gate: str, *more: str, evidence: str = "", code: int = 0, who: str = "ana") -> Any:
    """``approvals decide``, approving to do nothing unless told otherwise."""
    seen = evidence or evidence_of("T-1")[:12]
    words = ["approvals", "decide", gate, "--rationale", "because of the test", "--evidence", seen]
    words += ["--as", who] if who else []
    return document(*words, *(more or ("--verdict", "approve", "--action", "no_action")), code=code)


def test_cases_are_listed_by_what_is_asked_for(engine: Engine, gate: str) -> None:
    waiting_case(engine, "T-2", queue="legal", severity="P0")
    assert [each["external_id"] for each in document("cases", "list")["cases"]] == ["T-2", "T-1"]
    for option, value, found in [
        ("--queue", "legal", ["T-2"]),
        ("--severity", "P2", ["T-1"]),
        ("--status", "closed", []),
        ("--source", "test", ["T-2", "T-1"]),
        ("--limit", "1", ["T-2"]),
        ("--offset", "1", ["T-1"]),
    ]:
        listed = document("cases", "list", option, value)["cases"]
        assert [each["external_id"] for each in listed] == found, option


def test_a_case_is_shown_by_its_id_and_by_its_source_and_external_id(gate: str) -> None:
    by_name = document("cases", "show", "test:T-1")
    assert document("cases", "show", by_name["case"]["id"]) == by_name
    assert [each["id"] for each in by_name["gates"]] == [gate]
    assert "body of" not in str(by_name), "the text is shown only where it is asked for"
    assert document("cases", "show", "test:T-1", "--content")["content"]["body"] == "body of T-1"


@pytest.mark.parametrize(
    "words",
    [
        ("cases", "show", "c0"),
        ("cases", "show", "test:T-9"),
        ("approvals", "show", "g0"),
        ("approvals", "show", "g0", "--as", "ana"),
        ("people", "change", "zoe", "--inactive"),
        ("policy", "explain", "c0"),
        ("audit", "show", "c0"),
        ("quarantine", "show", "q0"),
    ],
)
def test_what_is_not_there_is_told_with_4(gate: str, words: tuple[str, ...]) -> None:
    assert document(*words, code=4)["error"]["code"] == "not_found"


def test_approvals_are_listed_shown_and_decided(engine: Engine, gate: str) -> None:
    [listed] = document("approvals", "list", "--queue", "general")["gates"]
    assert (listed["id"], document("approvals", "list", "--queue", "legal")) == (
        gate,
        {"gates": []},
    )
    shown = document("approvals", "show", gate, "--as", "ana")
    assert shown["gate"]["evidence_digest"] == evidence_of("T-1")
    assert shown["content"]["body"] == "body of T-1"
    assert (shown["actions"], shown["approvals"]) == (["no_action", "suspend"], 1)

    taken = decide(gate)
    assert (taken["decided"], taken["missing"], taken["woken"]) == (True, 0, False)
    assert document("approvals", "list") == {"gates": []}
    assert actions_in(engine, taken["case"]) == [
        "gate.opened",
        "case.viewed",
        "gate.answered",
        "gate.decided",
    ]
    with reading(engine) as session:
        viewed = orjson.loads(entries_of(session, taken["case"])[1].body)
    assert viewed["actor"] == "ana"


def test_the_first_of_two_answers_says_that_one_is_missing(engine: Engine, gate: str) -> None:
    mixed = waiting_case(engine, "T-2", queue="mixed")
    ban = ("--verdict", "approve", "--action", "ban")
    seen = evidence_of("T-2")
    assert decide(mixed, *ban, evidence=seen)["missing"] == 1
    assert decide(mixed, *ban, evidence=seen, who="ben")["decided"]


@pytest.mark.parametrize(
    ("who", "words", "evidence", "reason"),
    [
        ("zoe", (), "", "unknown_person"),
        ("aud", (), "", "role"),
        ("cleo", (), "", "queue"),
        ("ana", (), "0" * 12, "stale_evidence"),
        ("ana", ("--verdict", "approve", "--action", "ban"), "", "action"),
        ("ana", ("--verdict", "approve"), "", "action"),
        ("ana", ("--verdict", "refuse", "--action", "suspend"), "", "action"),
        ("ana", ("--verdict", "escalate", "--escalate-to", "mixed"), "", "escalation"),
        ("ana", ("--verdict", "refuse", "--rationale", "x"), "", "malformed"),
    ],
)
def test_what_the_guard_refuses_ends_with_5_and_its_reason(
    engine: Engine, gate: str, who: str, words: tuple[str, ...], evidence: str, reason: str
) -> None:
    refused = decide(gate, *words, who=who, evidence=evidence, code=5)
    assert refused["error"]["reason"] == reason
    with reading(engine) as session:
        assert session.get_one(Gate, gate).status == "open"
        entries = entries_of(session, session.get_one(Gate, gate).case_id)
        assert orjson.loads(entries[-1].body)["data"]["reason"] == reason


def test_the_same_decision_again_is_told_too_late(gate: str) -> None:
    decide(gate)
    again = decide(gate, code=5, who="ben")["error"]
    assert (again["code"], again["reason"]) == ("conflict", "decided")
    assert "approvals list" in again["hint"]


def test_who_decides_must_be_said_or_set(gate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = decide(gate, code=3, who="")["error"]
    assert "CASEWORK_ACTOR" in refused["hint"]
    monkeypatch.setenv("CASEWORK_ACTOR", "ana")
    assert decide(gate, who="")["decided"]


def test_too_little_of_the_evidence_is_told_with_3(gate: str) -> None:
    assert "12 characters" in decide(gate, evidence="abc", code=3)["error"]["message"]


def test_deciding_at_no_gate_is_told_with_4() -> None:
    assert decide("g0", code=4)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--role", "partner", "--queue", "child_safety"), "answers from: lead, senior; give one"),
        (("--role", "senior", "--queue", "child_safety"), ""),
        (("--role", "partner", "--queue", "child_safty"), "no queue child_safty; did you mean"),
        (("--role", "qa", "--queue", "child_safety"), ""),
        (("--role", "partner"), ""),
    ],
)
def test_who_is_given_a_queue_where_they_may_not_answer_is_warned_of(
    words: tuple[str, ...], told: str
) -> None:
    done = run("people", "add", "pat", *words)
    assert done.exit_code == 0
    assert (told in done.stderr) if told else not done.stderr
    again = run("people", "change", "pat", *words)
    assert again.stderr == done.stderr


def test_people_are_added_changed_and_listed(engine: Engine) -> None:
    added = document("people", "add", "mia", "--role", "analyst", "--role", "senior")
    assert (added["roles"], added["queues"], added["name"]) == (["analyst", "senior"], ["*"], "mia")
    changed = document("people", "change", "mia", "--queue", "legal", "--inactive")
    assert (changed["queues"], changed["active"]) == (["legal"], False)
    assert changed["roles"] == ["analyst", "senior"], "what is not given stays"
    assert document("people", "change", "mia", "--active")["active"]
    assert [each["id"] for each in document("people", "list")["people"]] == ["mia"]
    with reading(engine) as session:
        actors = {entry.actor for entry in entries_of(session, "system")}
    assert actors == {f"os:{getpass.getuser()}"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "mia", "--role", "chef"), 3),
        (("add", "mia"), 3),
        (("add", " ", "--role", "analyst"), 3),
        (("add", "ana", "--role", "analyst"), 5),
        (("change", "ana", "--role", "chef"), 3),
        (("change", "ana", "--role", ""), 3),
    ],
)
def test_people_who_cannot_be_as_asked_are_refused(
    gate: str, words: tuple[str, ...], code: int
) -> None:
    before = document("people", "list")
    assert document("people", *words, code=code)["error"]["message"]
    assert document("people", "list") == before


def test_a_bundle_that_does_not_lint_is_told_with_line_and_caret(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(resource("policies/default"), broken)
    rules = broken / "rules.yaml"
    rules.write_text(rules.read_text().replace("when: mentions_weapon", "when: mentions_weapom", 1))
    line = rules.read_text().splitlines().index("  when: mentions_weapom") + 1
    done = run("policy", "lint", str(broken))
    assert done.exit_code == 3
    assert f"rules.yaml:{line}" in done.stdout
    assert "^" in done.stdout
    assert "mentions_weapon" in done.stdout, "the nearest name"
    assert "1 faults" in done.stderr
    [fault] = document("policy", "lint", str(broken), code=3)["faults"]
    assert fault["line"] == line


def test_a_bundle_without_faults_lints() -> None:
    assert document("policy", "lint")["faults"] == []


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("cases", "nonsense"),
        ("cases", "list", "--nonsense"),
        ("cases", "list", "--status", "lost"),
        ("cases", "list", "--limit", "0"),
        ("cases", "show"),
        ("approvals", "decide", "g0"),
        ("approvals", "decide", "g0", "--verdict", "maybe"),
        ("people", "add"),
        ("intake",),
    ],
)
def test_wrong_usage_ends_with_2(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert done.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ("cases", "list"),
        ("cases", "show", "c1"),
        ("approvals", "list"),
        ("approvals", "show", "g1"),
        ("people", "list"),
        ("people", "change", "ana", "--active"),
        ("policy", "explain", "c1"),
        ("quarantine", "list"),
        ("audit", "show", "c1"),
        ("audit", "checkpoint"),
        ("db", "check"),
    ],
)
def test_no_store_is_told_with_6_and_what_to_do(
    words: tuple[str, ...], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CASEWORK_DATABASE_URL")
    error = document(*words, code=6)["error"]
    assert error["code"] == "store"
    assert "casework db upgrade" in error["hint"]
    assert not (home / "casework.db").exists(), "looking makes nothing"


def test_a_store_that_does_not_answer_is_told_with_6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    assert document("cases", "list", code=6)["error"]["code"] == "store"


def test_a_wrong_setting_is_told_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_BATCH_SIZE", "many")
    assert "CASEWORK_BATCH_SIZE" in document("cases", "list", code=3)["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("cases", "list"),
        ("cases", "show", "test:T-1"),
        ("approvals", "list"),
        ("approvals", "show", "{gate}"),
        ("people", "list"),
        ("people", "add", "mia", "--role", "analyst"),
        ("policy", "lint"),
        ("policy", "show"),
        ("policy", "explain", "{case}"),
        ("policy", "backtest", "--candidate", "{bundle}"),
        ("quarantine", "list"),
        ("audit", "show", "{case}"),
        ("audit", "checkpoint"),
        ("db", "check"),
        ("db", "upgrade"),
    ],
    ids=" ".join,
)
def test_every_command_prints_for_people_and_one_document_for_programs(
    engine: Engine, gate: str, words: tuple[str, ...]
) -> None:
    with reading(engine) as session:
        case = session.get_one(Gate, gate).case_id
    names = {"gate": gate, "case": case, "bundle": str(resource("policies/default"))}
    given = [word.format(**names) for word in words]
    assert document(*given) is not None
    told = run(*given) if words[:2] != ("people", "add") else run("people", "list")
    assert told.exit_code == 0, told.output
    assert (told.stdout + told.stderr).strip()


@pytest.mark.slow
def test_the_command_itself_prints_one_document_and_nothing_else(gate: str) -> None:
    def typed(*words: str) -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-c", "from deployments.cli.main import main; main()", *words]
        return subprocess.run(command, capture_output=True, env=dict(os.environ), check=False)

    done = typed("cases", "list", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(orjson.loads(done.stdout)["cases"]) == 1
    failed = typed("cases", "show", "c0", "--json")
    assert failed.returncode == 4
    assert orjson.loads(failed.stdout)["error"]["code"] == "not_found"
    assert b"Traceback" not in failed.stderr
