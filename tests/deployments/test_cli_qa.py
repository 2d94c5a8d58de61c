"""``casework qa``: from a preview to an adjudication, as people type it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from deployments.cli.main import app
from tests.factories.policy import FILES
from tests.factories.qa import PLANS, decided, staffed
from tests.factories.rights import RIGHTS, answered_known

UNTIL = ("--until", "2026-03-03")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    folder.mkdir()
    for name, text in {**FILES, "qa.yaml": PLANS}.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def _home(policy: Path, tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(policy))


def qa(*words: str, code: int = 0) -> Any:
    """The one JSON document of a ``casework qa`` command."""
    done = CliRunner().invoke(app, ["qa", *words, "--json"])
    assert done.exit_code == code, done.output
    return orjson.loads(done.stdout)


def answered(gate: str, person: str, *more: str, code: int = 0) -> Any:
    evidence = qa("show", gate, "--as", person)["evidence_digest"][:12]
    words = ("--rationale", "because", "--evidence", evidence, "--as", person)
    return qa("answer", gate, *words, *more, code=code)


def test_a_sample_goes_from_preview_to_adjudication(engine: Engine) -> None:
    staffed(engine)
    decided(engine, machine=4, people=["ana"])
    seen = qa("preview", "all", *UNTIL)
    assert (seen["population"], seen["sampled"], seen["reviews"]) == (5, 5, 5)
    assert qa("rounds") == {"rounds": []}, "a preview draws nothing"
    drawn = qa("sample", "all", *UNTIL)
    assert drawn["sample_digest"] == qa("sample", "all", *UNTIL)["sample_digest"]
    assert [each["id"] for each in qa("rounds", "--plan", "all")["rounds"]] == [drawn["id"]]

    gates = [each["id"] for each in qa("queue", "--as", "mia")["gates"]]
    assert len(gates) == 5
    assert qa("queue", "--as", "ana") == {"gates": []}
    shown = qa("show", gates[0], "--as", "mia")
    assert shown["content"]["body"].startswith("secret body")
    assert set(shown["gate"]) == {"id", "kind", "status", "opened_at"}
    assert "decisions" not in shown
    answered(gates[0], "mia", "--verdict", "escalate", "--escalate-to", "legal")

    [disputed] = [each["id"] for each in qa("queue", "--as", "sam")["gates"]]
    before = qa("show", disputed, "--as", "sam")
    assert [row["by"] for row in before["decisions"]] == ["first", "reviewer 1"]
    assert before["decisions"][1]["would_be"] == "wrong_escalation"
    assert "mia" not in str(before)
    for person in ("mia", "ana", "zoe"):
        refused = qa("show", disputed, "--as", person, code=5)["error"]
        assert refused["code"] == "denied", "who may not answer may not look"
    words = ("--verdict", "escalate", "--escalate-to", "legal")
    assert "what was wrong" in answered(disputed, "sam", *words, code=3)["error"]["message"]
    answered(disputed, "sam", *words, "--error", "wrong_escalation")
    assert qa("queue", "--as", "sam") == {"gates": []}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("preview", "al", *UNTIL), 4, "no QA plan al"),
        (("preview", "all", "--until", "tuesday"), 3, "no day and no time"),
        (("preview", "all", "--until", "2999-01-01"), 3, "still to come"),
        (("sample", "all", *UNTIL), 3, "finds no decisions in the day to 2026-03-03"),
        (("sample", "all", "--until", "2999-01-01"), 3, "still to come"),
        (("queue", "--as", "zoe"), 4, "no person zoe"),
        (("queue",), 3, "who are you?"),
        (("show", "q0", "--as", "mia"), 4, "no QA gate q0"),
        (("golden", "retire", "k0", "--as", "sam"), 4, "no golden item"),
        (("calibrate", "all", "--person", "mia", *UNTIL), 4, "no person mia"),
    ],
)
def test_what_cannot_be_done_is_told_with_a_way_out(
    words: tuple[str, ...], code: int, told: str
) -> None:
    error = qa(*words, code=code)["error"]
    assert told in error["message"]
    assert error["hint"]


def test_a_size_is_answered_without_a_store() -> None:
    assert qa("size", "--margin", "2")["needed"] == 2401
    assert qa("size", "--margin", "2", "--rate", "5", "--population", "1000")["needed"] == 314


def test_golden_items_are_added_listed_and_retired(engine: Engine) -> None:
    staffed(engine)
    [case] = decided(engine, machine=1)
    words = ("--verdict", "approve", "--rationale", "plain", "--as", "sam")
    refused = qa("golden", "add", case, *words, "--action", "ban", code=3)
    assert "does not allow ban" in refused["error"]["message"]
    added = qa("golden", "add", case, *words, "--action", "suspend")
    assert [each["id"] for each in qa("golden", "list")["golden"]] == [added["id"]]
    qa("golden", "retire", added["id"], "--as", "sam")
    assert qa("golden", "list") == {"golden": []}


def test_training_tells_right_from_wrong_and_why(engine: Engine) -> None:
    staffed(engine)
    [case] = decided(engine, machine=1)
    words = ("--verdict", "approve", "--action", "suspend", "--rationale", "see C1", "--as", "sam")
    missing = qa("train", "machine", "--person", "ben", code=3)["error"]
    assert "no golden items" in missing["message"]
    qa("golden", "add", case, *words)
    for seed, action, right in (("1", "no_action", False), ("2", "suspend", True)):
        drawn = qa("train", "machine", "--person", "ben", "--seed", seed)
        assert drawn["kind"] == "training"
        [gate] = [each["id"] for each in qa("queue", "--as", "ben")["gates"]]
        assert qa("queue", "--as", "mia") == {"gates": []}
        told = answered(gate, "ben", "--verdict", "approve", "--action", action)["feedback"]
        assert told == {"right": right, "known": "suspend", "clause": None, "rationale": "see C1"}
        [score] = qa("report", "--round", drawn["id"], "--names")["golden"].values()
        assert score["value"] == float(right)


def test_a_vendors_people_are_calibrated_whatever_their_role(engine: Engine) -> None:
    staffed(engine)
    decided(engine, machine=2)
    run = CliRunner()
    added = run.invoke(app, ["people", "add", "zoe", "--role", "analyst", "--vendor", "acme"])
    assert "acme" in added.output
    drawn = qa("calibrate", "machine", "--vendor", "acme", *UNTIL)
    assert drawn["kind"] == "calibration"
    gates = [each["id"] for each in qa("queue", "--as", "zoe")["gates"]]
    assert len(gates) == 2
    taken = answered(gates[0], "zoe", "--verdict", "approve", "--action", "suspend")
    assert taken["feedback"] is None, "only training tells"
    changed = run.invoke(app, ["people", "change", "zoe", "--vendor", "", "--json"])
    assert orjson.loads(changed.stdout)["vendor"] is None
    assert (
        "two people" in qa("calibrate", "machine", "--vendor", "acme", code=3)["error"]["message"]
    )


def test_people_get_tables(engine: Engine) -> None:
    staffed(engine)
    decided(engine, machine=4)
    run = CliRunner()
    preview = run.invoke(app, ["qa", "preview", "machine", *UNTIL])
    assert "probability" in preview.output
    assert "points to either side" in preview.output
    run.invoke(app, ["qa", "sample", "machine", *UNTIL])
    [gate, *_] = [each["id"] for each in qa("queue", "--as", "mia")["gates"]]
    shown = run.invoke(app, ["qa", "show", gate, "--as", "mia"])
    assert "secret body" in shown.output


def test_a_round_is_reported_under_pseudonyms_unless_names_are_asked_for(engine: Engine) -> None:
    staffed(engine)
    decided(engine, people=["ana", "ben"])
    drawn = qa("sample", "all", *UNTIL)
    for gate in qa("queue", "--as", "mia")["gates"]:
        answered(gate["id"], "mia", "--verdict", "approve", "--action", "suspend")
    found = qa("report", "all")
    assert (found["round"], found["settled"], found["open"]) == (drawn["id"], 2, 0)
    assert found["error_rate"]["value"] == 0.0
    assert found["error_rate"]["high"] > 0.5, "two decisions prove little"
    assert found["by"]["vendor"]["acme"]["n"] == 1
    assert not {"ana", "ben"} & set(found["by"]["person"])
    assert set(qa("report", "--round", drawn["id"], "--names")["by"]["person"]) == {"ana", "ben"}
    table = CliRunner().invoke(app, ["qa", "report", "all"])
    assert "error rate" in table.output
    assert "no round r0" in qa("report", "--round", "r0", code=4)["error"]["message"]
    assert "nothing was drawn" in qa("report", "machine", code=4)["error"]["message"]
    assert "a plan or a round" in qa("report", code=3)["error"]["message"]


def test_a_calibration_measures_agreement_and_no_errors(engine: Engine) -> None:
    staffed(engine)
    decided(engine, machine=3)
    drawn = qa("calibrate", "machine", "--person", "mia", "--person", "max", *UNTIL)
    for person, action in (("mia", "suspend"), ("max", "no_action")):
        for gate in qa("queue", "--as", person)["gates"]:
            answered(gate["id"], person, "--verdict", "approve", "--action", action)
    found = qa("report", "--round", drawn["id"], "--names")
    assert found["error_rate"]["value"] is None
    assert found["agreement"]["pairs"][0]["reviewers"] == ["max", "mia"]
    assert found["agreement"]["among_reviewers"]["observed"]["value"] == 0.0


def test_a_team_is_calibrated_and_its_report_has_alpha_with_an_interval(engine: Engine) -> None:
    staffed(engine)
    decided(engine, machine=3)
    run = CliRunner()
    for words in (
        ("vendors", "team", "night", "--site", "manila", "--vendor", "acme"),
        ("people", "place", "ana", "--team", "night"),
        ("people", "add", "zoe", "--role", "analyst", "--vendor", "acme"),
        ("people", "place", "zoe", "--team", "night"),
    ):
        assert run.invoke(app, list(words)).exit_code == 0
    drawn = qa("calibrate", "machine", "--team", "night", *UNTIL)
    for person, actions in (
        ("ana", ("suspend", "no_action", "suspend")),
        ("zoe", ("suspend",) * 3),
    ):
        gates = [each["id"] for each in qa("queue", "--as", person)["gates"]]
        for gate, action in zip(gates, actions, strict=True):
            answered(gate, person, "--verdict", "approve", "--action", action)
    found = qa("report", "--round", drawn["id"])["agreement"]
    assert found["among_reviewers"]["observed"]["n"] == 3
    alpha = found["among_reviewers"]["krippendorff_alpha"]
    assert alpha["low"] <= alpha["value"] <= alpha["high"]
    assert "bootstrap" in alpha["method"]
    assert "ana" not in str(found)


def test_rights_are_paused_trained_for_and_given_back_by_commands(
    engine: Engine, policy: Path
) -> None:
    staffed(engine)
    (policy / "rights.yaml").write_text(RIGHTS.replace("{items: 4,", "{items: 1,"))
    at = datetime.now(UTC) - timedelta(days=1)
    answered_known(engine, "ben", 10, 20, at)
    CliRunner().invoke(app, ["people", "add", "lea", "--role", "lead"])
    [found] = qa("rights", "check")["rights"]
    assert (found["person"], found["status"], found["n"]) == ("ben", "proposed", 30)
    words = ("--reason", "it is so", "--as", "lea")
    assert qa("rights", "confirm", found["id"], *words)["status"] == "paused"
    [case] = decided(engine, machine=1)
    right = ("--verdict", "approve", "--action", "suspend", "--rationale", "see C1", "--as", "sam")
    qa("golden", "add", case, *right)
    refused = qa("rights", "restore", found["id"], *words, code=5)["error"]
    assert refused["reason"] == "training"
    qa("train", "machine", "--person", "ben")
    [gate] = [each["id"] for each in qa("queue", "--as", "ben")["gates"]]
    told = answered(gate, "ben", "--verdict", "approve", "--action", "suspend")["feedback"]
    assert told["right"], "a paused right stops no training"
    [listed] = qa("rights", "list", "--as", "lea")["rights"]
    assert listed["trained"] == {"items": 1, "right": 1}
    assert qa("rights", "restore", found["id"], *words)["status"] == "restored"
    assert qa("rights", "list", "--as", "lea") == {"rights": []}
    assert len(qa("rights", "list", "--all", "--as", "lea")["rights"]) == 1
