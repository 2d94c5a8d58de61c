"""Slack, over HTTP and embedded, held to the Web API's published contract."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator

from casework.effects import EffectKind, veiled
from casework.errors import (
    ProviderBadReply,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from casework.gates import Verdict
from casework.inbox.buttons import VALUE_LIMIT, read_button
from integrations.slack import Slack, SlackClient, SlackDestination, SlackTwin, refusal
from tests.conftest import SHARED_DATA
from tests.factories.deliveries import delivery
from tests.factories.services import KEY, service
from tests.integrations.server import Asked, Given, Server, ok, serving

CONTRACT = SHARED_DATA / "api-specs" / "slack-web-api-openapi-v2.json.gz"
CHANNEL = "C024BE91L"
EVIDENCE = "e" * 64
WAITS = delivery(
    EffectKind.NOTIFY,
    text="words of the case",
    gate="g1",
    queue="trust_safety",
    severity="P1",
    action="suspend_7_days",
    evidence=EVIDENCE,
)


@contextmanager
def client_of_a_server(twin: SlackTwin) -> Iterator[tuple[Slack, Server | None]]:
    def answer(asked: Asked) -> Given:
        return ok(twin.answer(asked.path.removeprefix("/v1/"), asked.document))

    with serving(answer) as server:
        yield SlackClient(service=service(url=server.url, name="slack")), server


@contextmanager
def twin_itself(twin: SlackTwin) -> Iterator[tuple[Slack, Server | None]]:
    yield twin, None


async def sent(slack: Slack, *deliveries: Any) -> list[str]:
    destination = SlackDestination(slack=slack, channel=CHANNEL)
    references = []
    for each in deliveries:
        references.append((await destination.deliver(each)).reference or "")
    await destination.close()
    return references


def elements(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a message."""
    return [each for block in message["blocks"] for each in block.get("elements", [])]


@pytest.mark.parametrize("given", [client_of_a_server, twin_itself], ids=["http", "twin"])
class TestSlack:
    def test_a_notice_has_a_link_and_buttons_that_say_what_pressing_them_means(
        self, given: Any
    ) -> None:
        workspace = SlackTwin()
        with given(workspace) as (slack, _):
            [reference] = asyncio.run(sent(slack, WAITS))
        blocks = workspace.messages[reference]["blocks"]
        approve, refuse, link = elements(workspace.messages[reference])
        assert reference.startswith(f"{CHANNEL}:")
        [reason] = [each for each in blocks if each["type"] == "input"]
        assert reason["element"]["action_id"] == "casework.rationale"
        assert [each["action_id"] for each in (approve, refuse)] == [
            "casework.answer.approve",
            "casework.answer.refuse",
        ]
        assert link["url"] == WAITS.link
        pressed = read_button(approve["value"])
        assert (pressed.gate, pressed.verdict, pressed.action, pressed.evidence) == (
            "g1",
            Verdict.APPROVE,
            "suspend_7_days",
            EVIDENCE,
        )
        assert (read_button(refuse["value"]).verdict, read_button(refuse["value"]).action) == (
            Verdict.REFUSE,
            None,
        )

    def test_no_word_of_the_case_is_in_a_message(self, given: Any) -> None:
        workspace = SlackTwin()
        with given(workspace) as (slack, _):
            asyncio.run(sent(slack, WAITS))
        [message] = workspace.messages.values()
        assert message["text"] == "P1 · trust_safety · c0123456789abcdef waits for a person"
        assert "words" not in json.dumps(message)

    def test_of_a_restricted_case_nothing_is_told_and_nothing_can_be_pressed(
        self, given: Any
    ) -> None:
        workspace = SlackTwin()
        veil = replace(WAITS, effect=veiled(WAITS.effect, "r7"), link="https://c.example/queues/q")
        with given(workspace) as (slack, _):
            asyncio.run(sent(slack, veil))
        [message] = workspace.messages.values()
        assert message["text"] == "P1 · trust_safety · a restricted case waits for a person"
        said = json.dumps(message)
        assert not [name for name in ("c0123456789abcdef", "g1", "Approve") if name in said]

    def test_a_decision_takes_the_buttons_away_and_leaves_the_link(self, given: Any) -> None:
        workspace = SlackTwin()
        with given(workspace) as (slack, _):
            [reference] = asyncio.run(sent(slack, WAITS))
        decided = delivery(
            EffectKind.RESOLVE,
            reference=reference,
            verdict="approve",
            action="suspend_7_days",
            by="ana",
        )
        with given(workspace) as (slack, _):
            assert asyncio.run(sent(slack, decided)) == [reference]
        [message] = workspace.messages.values()
        assert [each["action_id"] for each in elements(message)] == ["open"]
        assert message["text"].endswith("has been decided: approve suspend_7_days by ana")

    def test_a_message_that_is_gone_needs_no_update(self, given: Any) -> None:
        gone = delivery(EffectKind.ACKNOWLEDGE, reference=f"{CHANNEL}:1111111111.000001")
        with given(SlackTwin()) as (slack, _):
            assert asyncio.run(sent(slack, gone)) == [f"{CHANNEL}:1111111111.000001"]

    def test_a_channel_that_is_not_there_is_refused_with_a_way_out(self, given: Any) -> None:
        with (
            given(SlackTwin(channels=["C1"])) as (slack, _),
            pytest.raises(ProviderRefused, match="channel_not_found") as caught,
        ):
            asyncio.run(sent(slack, WAITS))
        assert "invite the app" in caught.value.hint


@pytest.fixture(scope="module")
def contract() -> Any:
    """Slack's Web API, as published."""
    return json.loads(gzip.decompress(CONTRACT.read_bytes()))


@pytest.mark.data
@pytest.mark.skipif(not CONTRACT.exists(), reason="the shared data folder is not here")
class TestContract:
    def test_requests_are_what_slack_publishes(self, contract: Any) -> None:
        workspace = SlackTwin()
        [reference] = asyncio.run(sent(workspace, WAITS))
        with client_of_a_server(workspace) as (slack, server):
            resolved = delivery(EffectKind.RESOLVE, reference=reference)
            asyncio.run(sent(slack, WAITS, resolved))
        assert server
        assert len(server.asked) == 2
        for asked in server.asked:
            published = contract["paths"][asked.path.removeprefix("/v1")]["post"]
            assert "application/json" in published["consumes"]
            fields = {
                each["name"]: each for each in published["parameters"] if each["in"] != "header"
            }
            assert asked.document.keys() <= fields.keys()
            assert {name for name, each in fields.items() if each.get("required")} <= (
                asked.document.keys()
            )
            Draft7Validator(contract["definitions"]["blocks"]).validate(asked.document["blocks"])

    def test_the_twin_answers_as_slack_does(self, contract: Any) -> None:
        body = {"channel": CHANNEL, "text": "x", "blocks": []}
        said = SlackTwin().answer("chat.postMessage", body)
        published = contract["paths"]["/chat.postMessage"]["post"]["responses"]["200"]["schema"]
        assert said.keys() >= set(published["required"])
        for name, kind in (("ts", "defs_ts"), ("channel", "defs_channel")):
            Draft7Validator(contract["definitions"][kind]).validate(said[name])

    @pytest.mark.parametrize("method", ["/chat.postMessage", "/chat.update"])
    def test_every_error_that_slack_publishes_becomes_one_of_ours(
        self, contract: Any, method: str
    ) -> None:
        published = contract["paths"][method]["post"]["responses"]["default"]["schema"]
        codes = published["properties"]["error"]["enum"]
        assert len(codes) > 10
        for code in codes:
            error = refusal(code)
            assert type(error) is not ProviderError
            assert code in error.message


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        ("invalid_auth", ProviderRefused, "CASEWORK_SLACK_TOKEN"),
        ("token_revoked", ProviderRefused, "CASEWORK_SLACK_TOKEN"),
        ("missing_scope", ProviderRefused, "chat:write"),
        ("channel_not_found", ProviderRefused, "channel"),
        ("msg_too_long", ProviderRefused, ""),
        ("ratelimited", RateLimited, ""),
        ("request_timeout", ProviderTimeout, ""),
        ("fatal_error", ProviderUnavailable, ""),
        ("an error <nobody> knows", ProviderRefused, ""),
        (None, ProviderRefused, ""),
    ],
)
def test_an_error_that_comes_with_status_200_is_an_error(
    code: str | None, kind: type[ProviderError], hint: str
) -> None:
    far_end = service(lambda request: httpx.Response(200, json={"ok": False, "error": code}))
    with pytest.raises(kind) as caught:
        asyncio.run(sent(SlackClient(service=far_end), WAITS))
    assert hint in caught.value.hint
    assert caught.value.unauthorised is (hint in ("CASEWORK_SLACK_TOKEN", "chat:write"))
    assert "<nobody>" not in str(caught.value)


@pytest.mark.parametrize("reply", [{"ok": True}, {"ok": "yes"}, [], {"ok": True, "ts": 7}])
def test_a_reply_outside_the_contract_is_refused(reply: Any) -> None:
    far_end = service(lambda request: httpx.Response(200, json=reply))
    with pytest.raises(ProviderBadReply):
        asyncio.run(sent(SlackClient(service=far_end), WAITS))


def test_a_request_shows_the_token_and_its_charset() -> None:
    with client_of_a_server(SlackTwin()) as (slack, server):
        asyncio.run(sent(slack, WAITS))
    assert server
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/chat.postMessage")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json; charset=utf-8"


def test_a_message_that_may_have_been_posted_is_not_posted_again_unseen() -> None:
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        raise httpx.ReadTimeout("late")

    with pytest.raises(ProviderTimeout):
        asyncio.run(sent(SlackClient(service=service(answer)), WAITS))
    assert asked == 1


def test_names_that_are_markup_are_shown_and_not_obeyed() -> None:
    workspace = SlackTwin()
    odd = delivery(EffectKind.NOTIFY, queue="<!channel> *bold*", severity="P0")
    asyncio.run(sent(workspace, odd))
    [message] = workspace.messages.values()
    assert message["text"].startswith("P0 · &lt;!channel&gt;  bold ")


def test_the_longest_names_still_fit_a_button() -> None:
    workspace = SlackTwin()
    long = delivery(EffectKind.NOTIFY, gate="g" * 200, action="é" * 200, evidence=EVIDENCE)
    asyncio.run(sent(workspace, long))
    [message] = workspace.messages.values()
    for button in elements(message):
        assert len(button["text"]["text"]) <= 75
        assert len(button.get("value", "")) <= VALUE_LIMIT


def test_without_evidence_nothing_can_be_decided_from_a_message() -> None:
    workspace = SlackTwin()
    asyncio.run(sent(workspace, delivery(EffectKind.NOTIFY, gate="g1", action="warn")))
    [message] = workspace.messages.values()
    assert [each["action_id"] for each in elements(message)] == ["open"]


def test_an_effect_that_no_message_can_bring_is_refused_for_good() -> None:
    with pytest.raises(ProviderRefused):
        asyncio.run(sent(SlackTwin(), delivery(EffectKind.ACT, action="warn")))


def test_every_message_about_a_case_loses_its_buttons_with_the_decision() -> None:
    workspace = SlackTwin()
    references = asyncio.run(sent(workspace, WAITS, WAITS))
    over = delivery(EffectKind.RESOLVE, action="suspend_7_days")
    over = replace(over, earlier=tuple(references))
    assert asyncio.run(sent(workspace, over)) == references[-1:]
    for message in workspace.messages.values():
        assert [each["action_id"] for each in elements(message)] == ["open"]


def test_a_decision_that_nobody_was_asked_for_in_slack_changes_nothing() -> None:
    workspace = SlackTwin()
    assert asyncio.run(sent(workspace, delivery(EffectKind.RESOLVE))) == [""]
    assert workspace.messages == {}
