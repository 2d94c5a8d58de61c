"""``casework incident``: from page to report, by the commands that people type."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from casework.cases import case_id
from casework.store.engine import reading
from casework.store.tables import IncidentUpdate
from deployments.cli.demo_incident import run_incident
from deployments.cli.main import app
from deployments.cli.setting import settled
from tests.factories.enriched import enriched_case
from tests.factories.gates import waiting_case
from tests.factories.holds import review
from tests.factories.incidents import add_team, minutes
from tests.factories.intake import actions_in


@pytest.fixture(autouse=True)
def home(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Path:
    """Settings that point at a store with people in it and at no Prefect server."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("CASEWORK_POLICY_DIR", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    monkeypatch.setenv("CASEWORK_ACTOR", "mia")
    add_team(engine)
    return tmp_path / "home"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["incident", *words])


def document(*words: str, code: int = 0) -> Any:
    """The one JSON document on standard output of a command."""
    done = run(*words, "--json")
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


@pytest.fixture
def incident() -> str:
    """An incident that mia commands."""
    opened = document("open", "A secret title", "--severity", "P1", "--key", "page-1")["incident"]
    document("role", opened["id"], "commander", "mia")
    return str(opened["id"])


def test_an_incident_is_run_from_page_to_report(
    engine: Engine, incident: str, tmp_path: Path
) -> None:
    gates = [waiting_case(engine, f"T-{n}") for n in range(3)]
    added = document("add", incident, "test:T-0", "test:T-1", "test:T-2")
    assert len(added["attached"]) == len(gates)
    assert document("add", incident, "test:T-2", "--remove")["detached"] == [case_id("test", "T-2")]
    assert document("note", incident, "secret note")["note"] == 1
    assert document("note", incident, "secret note, better", "--corrects", "1")["note"] == 2
    asked = document("task", incident, "Legal", "a letter", "--due", "2h", "--as", "lou")["task"]
    assert (asked["number"], asked["partner"]) == (1, "Legal")
    macro = ("incident_internal", "--audience", "internal")
    told = document("update", incident, *macro, "--set", "known=this", "--set", "next=that")
    assert "What we know: this" in told["update"]["text"]
    values = ("--set", "known=more", "--set", "next=that")
    assert document("update", incident, *macro, *values, "--to", "team_chat")["to"] == ["team_chat"]
    nowhere = document("update", incident, *macro, *values, "--to", "team_chatt", code=3)
    assert "team_chat" in nowhere["error"]["hint"]
    hold = document("hold", incident, "--rule", "close_spam", "--reason", "why")["hold"]
    assert document("status", incident, "contained")["changed"]["status"] is True
    refused = document("close", incident, code=5)["error"]
    assert (refused["code"], refused["reason"]) == ("conflict", "move")
    document("status", incident, "resolved", "--severity", "P2")
    refused = document("close", incident, code=5)["error"]
    assert "task 1 of Legal" in refused["message"]
    assert hold["id"] in refused["message"]
    document("task", incident, "--done", "1")
    document("hold", incident, "--lift", hold["id"])
    document("followup", incident, "a rule", "--owner", "Policy", "--due", "30d")
    report = tmp_path / "report.md"
    assert document("close", incident, "--out", str(report))["status"] == "closed"
    assert document("close", incident)["report_digest"]
    document("followup", incident, "--done", "1")
    assert document("report", incident, "--at-closing")["markdown"] == report.read_text("utf8")
    assert "| 1 | a rule | Policy |" in document("report", incident)["markdown"]
    shown = document("show", incident)["incident"]
    assert (shown["status"], shown["severity"], len(shown["cases"])) == ("closed", "P2", 2)
    assert shown["seconds_from_detection"]["closed"] is not None
    assert actions_in(engine, incident).count("incident.denied") == 2


def test_so_long_ago_is_before_now_and_so_long_is_after(incident: str) -> None:
    opened = document("open", "title", "--severity", "P1", "--detected", "2h")["incident"]
    assert opened["detected_at"] < opened["opened_at"]
    task = document("task", incident, "Legal", "what", "--due", "2h")["task"]
    assert task["due"] > task["asked_at"]


def test_a_case_names_its_incidents(engine: Engine, incident: str) -> None:
    waiting_case(engine, "T-1")
    document("add", incident, "test:T-1")
    shown = CliRunner().invoke(app, ["cases", "show", "test:T-1", "--json"])
    [named] = orjson.loads(shown.stdout)["incidents"]
    assert (named["incident_id"], named["attached_by"]) == (incident, "mia")


def test_the_same_page_opens_one_incident(incident: str) -> None:
    again = document("open", "Another title", "--severity", "P0", "--key", "page-1")["incident"]
    assert (again["id"], again["severity"]) == (incident, "P1")
    other = document("open", "Another title", "--severity", "P0")["incident"]["id"]
    assert [each["id"] for each in document("list")["incidents"]] == [other, incident]
    assert document("list", "--status", "closed") == {"incidents": []}


def test_the_report_with_ids_says_nothing_that_people_wrote(incident: str) -> None:
    document("note", incident, "secret note")
    assert "secret" in document("report", incident)["markdown"]
    assert "secret" not in document("report", incident, "--ids")["markdown"]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("show", "inc0"), 4, "not_found"),
        (("report", "inc0"), 4, "not_found"),
        (("report", "{incident}", "--at-closing"), 4, "not_found"),
        (("add", "{incident}", "c0"), 4, "not_found"),
        (("note", "inc0", "text"), 4, "not_found"),
        (("close", "{incident}", "--as", "ana"), 5, "denied"),
        (("open", "title", "--severity", "P1", "--as", "ana"), 5, "denied"),
        (("open", "title", "--severity", "P1", "--category", "fraude"), 3, "input"),
        (("open", "title", "--severity", "P1", "--detected", "yesterday"), 3, "input"),
        (("open", "title", "--severity", "P1", "--detected", "2999-01-01"), 3, "input"),
        (("task", "{incident}"), 3, "input"),
        (("task", "{incident}", "Legal", "what"), 3, "input"),
        (("task", "{incident}", "Marketing", "what", "--due", "2h"), 3, "input"),
        (("followup", "{incident}", "what", "--due", "2h"), 3, "input"),
        (("hold", "{incident}", "--rule", "close_spma", "--reason", "why"), 3, "input"),
        (("hold", "{incident}", "--rule", "a", "--source", "b", "--reason", "why"), 3, "input"),
        (("update", "{incident}", "none", "--audience", "public"), 3, "input"),
        (("update", "{incident}", "incident_public", "--audience", "public"), 3, "input"),
        (("update", "{incident}", "x", "--audience", "public", "--set", "x"), 3, "input"),
        (("status", "{incident}"), 3, "input"),
        (("report", "{incident}", "--out", "/nowhere/report.md"), 3, "input"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_exit_code(
    incident: str, words: tuple[str, ...], code: int, error: str
) -> None:
    given = [word.format(incident=incident) for word in words]
    assert document(*given, code=code)["error"]["code"] == error


@pytest.mark.parametrize("words", [("open",), ("role", "inc1", "king", "mia"), ("add", "inc1")])
def test_wrong_usage_ends_with_2(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_every_command_also_speaks_to_people(engine: Engine, incident: str) -> None:
    waiting_case(engine, "T-1")
    for words in (
        ("add", incident, "test:T-1"),
        ("role", incident, "scribe", "ana"),
        ("note", incident, "a note [of text]"),
        ("task", incident, "Legal", "what", "--due", "2026-03-02T09:30"),
        ("task", incident, "Legal", "what else", "--within", "4h"),
        ("hold", incident, "--cases", "--reason", "why"),
        ("followup", incident, "what", "--owner", "ana", "--due", "3d"),
        ("status", incident, "contained"),
        (
            "update",
            incident,
            "incident_internal",
            "--audience",
            "internal",
            "--set",
            "known=[x]",
            "--set",
            "next=y",
        ),
        ("list",),
        ("show", incident),
        ("report", incident),
    ):
        done = run(*words)
        assert done.exit_code == 0, done.output
        assert done.stdout.strip()
    assert "a note [of text]" in run("report", incident).stdout
    with reading(engine) as session:
        assert "[x]" in session.get_one(IncidentUpdate, (incident, 1)).text


def test_the_demo_s_incident_ends_with_a_report_and_is_run_once(engine: Engine, home: Path) -> None:
    review(engine, enriched_case(engine, "T-9", {"patterns": {"spam": True}}))
    clock = minutes()
    given = (settled(), engine, clock)
    people = {"rule": "threat", "lead": "lou", "commander": "mia"}
    markdown, path = run_incident(*given, **people)
    assert path.read_text(encoding="utf8") == markdown
    assert path.is_relative_to(home)
    assert "1 cases, led by mia" in markdown
    assert "| to closed | 1 h " in markdown
    assert run_incident(*given, **people) == (markdown, path)
