"""Candidates in the console: compared, tried by a process of their own, shown to leads."""

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.console.identity import COOKIE
from casework.errors import NotFound
from casework.settings import Settings
from casework.store.accounts import open_session
from casework.store.engine import open_engine, transaction
from casework.store.people import add_person
from casework.store.restrictions import restrict
from casework.store.schema import upgrade
from deployments.trials import FolderTrials
from tests.casework.console.asking import post
from tests.factories.consoles import console_of
from tests.factories.enriched import enriched_case
from tests.factories.gates import BY, NOW
from tests.factories.policy import FILES

WITHOUT_SPAM = FILES["rules.yaml"].split("- {id: spam")[0]


def bundle_in(folder: Path, **files: str) -> Path:
    """Write a bundle's files."""
    folder.mkdir(parents=True)
    for name, text in {**FILES, **{f"{name}.yaml": text for name, text in files.items()}}.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A policy in force, a candidate that closes no spam, and one with a fault."""
    bundle_in(tmp_path / "candidates" / "careful", rules=WITHOUT_SPAM)
    bundle_in(tmp_path / "candidates" / "broken", rules=WITHOUT_SPAM.replace("legal", "legall"))
    given = {
        "CASEWORK_HOME": tmp_path / "home",
        "CASEWORK_POLICY_DIR": bundle_in(tmp_path / "policy"),
        "CASEWORK_CANDIDATES_DIR": tmp_path / "candidates",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    return Settings()


@pytest.fixture
def engine(settings: Settings) -> Engine:
    """A store with two cases of spam and one that is none."""
    engine = open_engine(settings.store_url)
    upgrade(engine)
    for number, spam in enumerate((True, True, False)):
        said: Any = {"patterns": {"spam": spam}, "source": {"threat": False}}
        enriched_case(engine, f"T-{number}", said)
    return engine


def lead(engine: Engine, settings: Settings, queues: list[str]) -> TestClient:
    with transaction(engine) as session:
        add_person(session, "led", name="led", roles=["lead"], queues=queues, by=BY, now=NOW)
        secret = open_session(session, "led", BY, NOW)
    surroundings = console_of(engine, lambda: NOW, trials=FolderTrials(settings))
    return TestClient(create_app(surroundings), cookies={COOKIE: secret}, follow_redirects=False)


def test_a_candidate_is_tried_on_every_case_while_the_page_does_not_wait(
    engine: Engine, settings: Settings
) -> None:
    client, path = lead(engine, settings, ["*"]), "/leads/policy/candidates/careful"
    assert path in client.get("/leads/policy").text
    assert "removed: <strong>spam</strong>" in client.get(path).text
    assert post(client, f"{path}/try").status_code == 303
    assert "It is being tried" in client.get(path).text
    trials, until = FolderTrials(settings), time.monotonic() + 120
    while trials.trial("careful").state == "running" and time.monotonic() < until:
        time.sleep(0.1)
    found = trials.trial("careful")
    assert (found.state, found.cases, found.changed) == ("done", 3, 2), found.note
    [change] = found.changes
    assert (change["before"]["route"], change["after"]["queue"]) == ("close", "general")
    page = client.get(path).text
    assert "2 of 3 cases would change" in page
    kept, known = change["case_ids"]
    assert kept in page
    assert known in page
    with transaction(engine) as session:
        add_person(session, "ana", name="ana", roles=["analyst"], queues=["*"], by=BY, now=NOW)
        restrict(session, kept, ["ana"], "it is about one of us", BY, NOW, operating=True)
    page = client.get(path).text
    assert kept not in page, "though it was tried with the others"
    assert known in page


def test_a_candidate_with_faults_shows_them_and_is_not_tried(
    engine: Engine, settings: Settings
) -> None:
    client, path = lead(engine, settings, ["general"]), "/leads/policy/candidates/broken"
    page = client.get(path).text
    assert "legall" in page
    assert "Try it" not in page
    assert post(client, f"{path}/try").headers["location"] == path
    assert not (settings.home / "trials").exists()


def test_a_name_that_is_no_candidate_names_no_folder(settings: Settings) -> None:
    for name in ("../policy", "none", ""):
        with pytest.raises(NotFound):
            FolderTrials(settings).faults(name)
