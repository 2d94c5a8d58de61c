"""From a step of a ladder to a message in Slack, and from a press of its button to the answer."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from casework.inbox.posts import Vendor
from casework.policy.bundle import bundle_from_files
from casework.settings import Settings
from casework.store.engine import transaction
from casework.store.escalation import take_due_steps
from casework.store.gates import answers_at
from casework.store.identities import link
from casework.store.tables import Gate
from integrations.slack import SlackTwin
from tasks.effects import Sender, send
from tasks.inbox import drain
from tests.factories.escalation import (
    HOUR,
    MINUTE,
    add_everybody,
    clocks_of,
    gate_of,
    timed_case,
)
from tests.factories.gates import BY, NOW
from tests.factories.inbox import arrive, press, reader
from tests.factories.policy import CLOCKS, FILES
from tests.integrations.server import Asked, Given, ok, serving

SLACK = """\
on_call: {type: log, takes: [page]}
chat: {type: slack, takes: [notify, acknowledge, resolve], options: {channel: C1}}
"""


class World:
    """A store, a workspace that is reached over HTTP, and people with accounts there."""

    def __init__(self, engine: Engine, folder: Path, url: str) -> None:
        self.engine, self.folder = engine, folder
        settings = Settings(
            home=folder,
            slack_url=url,
            slack_token=SecretStr("xoxb-1"),
            console_url="https://console.example/",
        )
        bundle = bundle_from_files({**FILES, **CLOCKS, "destinations.yaml": SLACK})
        self.at: datetime = NOW
        self.sender = Sender(settings, engine, bundle, BY, "here:1", now=lambda: self.at)
        with transaction(engine) as session:
            link(session, "ana", "slack", "U1", BY, NOW)

    def sweep_and_send(self, at: datetime) -> None:
        self.at = at
        with transaction(self.engine) as session:
            take_due_steps(session, BY, at)
        asyncio.run(send(self.sender))

    def pressed(self, button: dict[str, Any]) -> dict[str, int]:
        arrive(self.engine, Vendor.SLACK, press(button, "U1", rationale="seen it before"))
        return dict(drain(reader(self.engine, self.folder)).counts)


@pytest.fixture
def workspace() -> SlackTwin:
    return SlackTwin()


@pytest.fixture
def world(engine: Engine, workspace: SlackTwin, tmp_path: Path) -> Iterator[World]:
    def answer(asked: Asked) -> Given:
        return ok(workspace.answer(asked.path.removeprefix("/v1/"), asked.document))

    add_everybody(engine)
    with serving(answer) as server:
        yield World(engine, tmp_path, server.url)


def buttons(workspace: SlackTwin) -> dict[str, dict[str, Any]]:
    """The buttons of all messages, by what they do."""
    blocks = [block for each in workspace.messages.values() for block in each["blocks"]]
    elements = [each for block in blocks for each in block.get("elements", [])]
    return {each["action_id"]: each for each in elements}


def test_a_reminder_is_answered_with_a_press_and_then_offers_none(
    engine: Engine, world: World, workspace: SlackTwin
) -> None:
    gate = timed_case(engine)
    world.sweep_and_send(NOW + 16 * MINUTE)
    shown = buttons(workspace)
    assert set(shown) == {"casework.answer.approve", "casework.answer.refuse", "open"}
    case = gate_of(engine, gate).case_id
    assert shown["open"]["url"] == f"https://console.example/cases/{case}"
    assert world.pressed(shown["casework.answer.approve"]) == {"answered": 1}
    decided = gate_of(engine, gate)
    assert (decided.status, decided.verdict, decided.action) == ("decided", "approve", "no_action")
    with transaction(engine) as session:
        [given] = answers_at(session, gate)
        assert (given.actor, given.rationale) == ("ana", "seen it before")
    world.sweep_and_send(NOW + 17 * MINUTE)
    assert set(buttons(workspace)) == {"open"}
    [message] = workspace.messages.values()
    assert message["text"].endswith("has been decided: approve no_action by ana")


def test_a_proposal_that_one_person_may_not_take_has_a_link_alone(
    engine: Engine, world: World, workspace: SlackTwin
) -> None:
    gate = timed_case(engine)
    with transaction(engine) as session:
        session.get_one(Gate, gate).proposed_action = "ban"
    world.sweep_and_send(NOW + 16 * MINUTE)
    assert set(buttons(workspace)) == {"open"}


def test_a_press_under_an_old_message_is_refused_once_a_lead_must_answer(
    engine: Engine, world: World, workspace: SlackTwin
) -> None:
    gate = timed_case(engine)
    world.sweep_and_send(NOW + 16 * MINUTE)
    old = buttons(workspace)["casework.answer.approve"]
    world.sweep_and_send(NOW + 2 * HOUR)
    assert world.pressed(old) == {"denied": 1}
    assert gate_of(engine, gate).status == "open"
    assert clocks_of(engine, gate)["first_touch"].ended_at is None
