"""Whoever presses a button in Slack is told what came of it, and by nobody but Slack."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.gates import Verdict
from casework.inbox.buttons import Button
from casework.inbox.posts import Vendor
from casework.settings import Settings
from casework.store.engine import transaction
from casework.store.identities import link
from tasks.inbox import drain
from tasks.pressing import tell_pressers
from tests.factories.escalation import gate_of
from tests.factories.gates import BY, NOW, add_people, evidence_of, waiting_case
from tests.factories.inbox import arrive, press, reader
from tests.integrations.server import Asked, Given, Server, serving

PATH = "actions/T111/1/x"


class World:
    """Slack's end, a gate, and people: ana may answer there, lea may not."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.server, self.status = Server(), 200
        add_people(engine)
        self.gate = waiting_case(engine)
        with transaction(engine) as session:
            for number, person in enumerate(("ana", "lea")):
                link(session, person, "slack", f"U{number}", BY, NOW)

    def answer(self, asked: Asked) -> Given:
        return self.status, {}, b"ok"

    def pressed(self, account: str, url: str = "", evidence: str = "") -> int:
        """Press, read the inbox and tell; how many were told."""
        button = Button(self.gate, Verdict.APPROVE, "no_action", evidence or evidence_of("T-1"))
        shown = {"action_id": button.action_id, "value": button.value()}
        body = press(shown, account, response_url=url or f"{self.server.url}/{PATH}")
        arrive(self.engine, Vendor.SLACK, body)
        drained = drain(reader(self.engine, self.folder))
        settings = Settings(home=self.folder, slack_hooks_url=self.server.url)
        return asyncio.run(tell_pressers(settings, drained.answers))

    def about(self) -> str:
        return f"P2 · general · {gate_of(self.engine, self.gate).case_id} "


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    made = World(engine, tmp_path)
    with serving(made.answer) as server:
        made.server = server
        yield made


def test_a_decision_replaces_the_message_for_all(world: World) -> None:
    assert world.pressed("U0") == 1
    [asked] = world.server.asked
    assert asked.path == f"/v1/{PATH}"
    text = f"{world.about()}has been decided: approve no_action by ana"
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    assert asked.document == {"replace_original": True, "text": text, "blocks": [block]}
    assert world.pressed("U1") == 1
    late = world.server.asked[1].document
    assert late["replace_original"] is True, "nobody can answer with this message any more"


def test_a_refusal_is_told_to_the_person_alone_and_leaves_the_buttons_to_others(
    world: World,
) -> None:
    assert world.pressed("U1") == 1
    [asked] = world.server.asked
    assert (asked.document["response_type"], asked.document["replace_original"]) == (
        "ephemeral",
        False,
    )
    assert asked.document["text"].startswith(f"{world.about()}your answer was refused: ")
    assert world.pressed("U0", evidence="0" * 64) == 1
    assert world.server.asked[1].document["replace_original"] is True, "its evidence is old"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com.evil.example/actions/1",
        "http://169.254.169.254/latest",
        "http://user:secret@127.0.0.1/actions/1",
        "http://127.0.0.1:1/actions/1",
        "file:///etc/passwd",
        "not an address",
    ],
)
def test_nothing_is_posted_to_an_address_that_is_not_slacks(
    world: World, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert world.pressed("U0", url=url) == 0
    assert world.server.asked == []
    assert gate_of(world.engine, world.gate).status == "decided"
    assert "not Slack's" in caplog.text
    assert url not in caplog.text


def test_a_slack_that_fails_changes_nothing_of_the_decision(world: World) -> None:
    world.status = 500
    assert world.pressed("U0") == 0
    assert len(world.server.asked) == 1
    assert gate_of(world.engine, world.gate).status == "decided"
