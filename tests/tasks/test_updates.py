"""From ``casework incident update --to`` to a message in Slack and a signed webhook."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from casework.errors import InputError
from casework.incidents.audiences import Audience
from casework.policy.bundle import bundle_from_files
from casework.settings import Settings
from casework.store.incidents.notes import Telling, tell_update
from casework.store.tables import IncidentUpdate
from integrations.slack import SlackTwin
from tasks.effects import Sender, send
from tests.factories.gates import BY, NOW
from tests.factories.incidents import add_team, commanded, done
from tests.factories.intake import actions_in
from tests.factories.policy import FILES
from tests.integrations.server import Asked, Given, ok, serving
from tests.tasks.sender import SECRET

BUNDLE = bundle_from_files(
    {
        **FILES,
        "macros/news.md": "*{{incident}}* is {{status}}.\n<!channel> {{said}}\n",
        "destinations.yaml": """\
chat: {type: slack, takes: [notify], options: {channel: C1}}
site: {type: webhook, takes: [notify], audiences: [internal, public]}
pager: {type: pagerduty, takes: [page, notify]}
desk: {type: log, takes: [reply]}
""",
    }
)


class World:
    """A workspace and an endpoint behind one server, and a sender that reaches both."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.workspace = engine, SlackTwin()
        self.hooks: list[Asked] = []
        self.settings = Settings(
            home=folder, slack_token=SecretStr("xoxb-1"), webhook_secret=SecretStr(SECRET)
        )
        add_team(engine)
        self.incident = commanded(engine)

    def answer(self, asked: Asked) -> Given:
        if asked.path.endswith("/hook"):
            self.hooks.append(asked)
            return ok({})
        return ok(self.workspace.answer(asked.path.removeprefix("/v1/"), asked.document))

    def tell(
        self, *to: str, key: str = "k", audience: Audience = Audience.INTERNAL, said: str = "it"
    ) -> IncidentUpdate:
        telling = Telling(key, audience, "news", {"said": said}, to)
        return done(
            self.engine,
            self.incident,
            "mia",
            lambda s, by, at: tell_update(s, self.incident, telling, BUNDLE, by, at),
        )

    def send(self) -> int:
        sender = Sender(self.settings, self.engine, BUNDLE, BY, "here:1", now=lambda: NOW)
        return asyncio.run(send(sender))["sent"]


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    made = World(engine, tmp_path)
    with serving(made.answer) as server:
        urls = {"slack_url": server.url, "webhook_url": f"{server.url}/hook"}
        made.settings = made.settings.model_copy(update=urls)
        yield made


def test_an_update_arrives_as_it_was_told_and_once(world: World) -> None:
    told = world.tell("chat", "site", said="<secret> & more")
    assert world.send() == 2
    world.tell("chat", "site", said="another word under the same key")
    assert world.send() == 0
    [message] = world.workspace.messages.values()
    assert message["text"] == f"P1 · {world.incident} has an update for internal"
    [block] = message["blocks"]
    assert block["text"] == {"type": "plain_text", "text": told.text.strip()}
    [hook] = world.hooks
    assert hook.headers["webhook-id"] == f"update:{world.incident}:1:site"
    assert hook.document["type"] == "effect.notify"
    assert hook.document["data"]["text"] == told.text
    assert hook.document["data"]["audience"] == "internal"
    assert actions_in(world.engine, world.incident).count("incident.update_queued") == 1


def test_updates_arrive_in_their_order_and_later_ones_may_go_to_more(world: World) -> None:
    world.tell("chat", key="1", said="first")
    world.tell("chat", key="2", said="second")
    world.tell("site", key="1")
    assert [world.send(), world.send()] == [3, 0]
    said = [each["blocks"][0]["text"]["text"] for each in world.workspace.messages.values()]
    assert [text.split()[-1] for text in said] == ["first", "second"]
    assert [hook.document["data"]["update"] for hook in world.hooks] == [1]


@pytest.mark.parametrize(
    ("to", "audience", "why"),
    [
        ("chatt", Audience.INTERNAL, "no destination chatt"),
        ("chat", Audience.PUBLIC, "not for the audience public"),
        ("pager", Audience.INTERNAL, "its type is pagerduty"),
        ("desk", Audience.INTERNAL, "it takes no notify"),
    ],
)
def test_what_may_not_be_sent_there_is_not_told_at_all(
    world: World, to: str, audience: Audience, why: str
) -> None:
    with pytest.raises(InputError, match=why) as refusal:
        world.tell("site", to, audience=audience)
    assert refusal.value.hint
    assert world.send() == 0
    assert "incident.updated" not in actions_in(world.engine, world.incident)


def test_without_a_destination_an_update_is_kept_and_no_more(world: World) -> None:
    world.tell()
    assert world.send() == 0
