"""Jira, over HTTP and embedded, held to the platform's published contract."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from jsonschema import Draft7Validator

from casework.effects import EffectKind
from casework.errors import (
    ProviderBadReply,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from integrations.credentials import basic
from integrations.jira import Jira, JiraClient, JiraDestination
from integrations.jira_issues import document_of, effect_label, texts_of
from integrations.jira_twin import JiraTwin
from tests.conftest import SHARED_DATA
from tests.factories.deliveries import delivery
from tests.factories.services import KEY, service
from tests.integrations.server import Asked, Given, Server, ok, serving

CONTRACT = SHARED_DATA / "api-specs" / "jira-cloud-platform-v3.json.gz"
ASKS = delivery(
    EffectKind.OPEN_ISSUE,
    text="Please preserve the records of this account.\nWe will write again.",
    queue="legal",
    severity="P1",
)


def answering(twin: JiraTwin) -> Any:
    """The endpoints that are used, over a twin."""

    async def said(asked: Asked) -> Given:
        url = urlsplit(asked.path.removeprefix("/v1/rest/api/3/"))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match asked.method, url.path.split("/"):
            case "POST", ["search", "jql"]:
                return ok(await twin.search(asked.document["jql"]))
            case "POST", ["issue"]:
                return 201, {}, ok(await twin.create(asked.document))[2]
            case "GET", ["issue", key]:
                assert query == {"fields": "status"}
                return ok(await twin.state(key))
            case "GET", ["issue", key, "comment"]:
                assert query["orderBy"] == "-created"
                return ok(await twin.comments(key, int(query["startAt"])))
            case "POST", ["issue", key, "comment"]:
                await twin.comment(key, asked.document)
                return 201, {}, b'{"id": "1"}'
            case "GET", ["issue", key, "transitions"]:
                return ok(await twin.transitions(key))
            case "POST", ["issue", key, "transitions"]:
                await twin.transition(key, asked.document)
                return 204, {}, b""
        return 404, {}, b""

    def answer(asked: Asked) -> Given:
        try:
            return asyncio.run(said(asked))
        except ProviderRefused as error:
            return error.answered or 400, {}, b""

    return answer


@contextmanager
def client_of_a_server(twin: JiraTwin) -> Iterator[tuple[Jira, Server | None]]:
    with serving(answering(twin)) as server:
        far_end = service(url=server.url, name="jira", scheme=basic("ana@example.com"))
        yield JiraClient(service=far_end), server


@contextmanager
def twin_itself(twin: JiraTwin) -> Iterator[tuple[Jira, Server | None]]:
    yield twin, None


async def sent(jira: Jira, *deliveries: Any) -> list[str]:
    destination = JiraDestination(jira=jira, project="SAFE", statuses={"closed": "Done"})
    references = []
    for each in deliveries:
        references.append((await destination.deliver(each)).reference or "")
    await destination.close()
    return references


@pytest.mark.parametrize("given", [client_of_a_server, twin_itself], ids=["http", "twin"])
class TestJira:
    def test_an_issue_bears_the_case_and_says_what_the_macro_says(self, given: Any) -> None:
        site = JiraTwin()
        with given(site) as (jira, _):
            assert asyncio.run(sent(jira, ASKS)) == ["SAFE-1"]
        fields = site.issues["SAFE-1"]["fields"]
        assert fields["summary"] == "Casework c0123456789abcdef P1 legal"
        assert "casework:c0123456789abcdef" in fields["labels"]
        assert texts_of(fields["description"]) == {*ASKS.text.splitlines(), ASKS.link}

    def test_the_same_key_makes_one_issue_and_another_key_another(self, given: Any) -> None:
        site = JiraTwin()
        other = delivery(EffectKind.OPEN_ISSUE, key="another")
        with given(site) as (jira, _):
            assert asyncio.run(sent(jira, ASKS, ASKS, other, ASKS)) == [
                "SAFE-1",
                "SAFE-1",
                "SAFE-2",
                "SAFE-1",
            ]
        assert len(site.issues) == 2

    def test_the_same_key_comments_once_however_many_comments_there_are(self, given: Any) -> None:
        site = JiraTwin(page=10)
        reply = delivery(EffectKind.REPLY, key="k", issue="SAFE-1", text="Any news?")
        with given(site) as (jira, _):
            asyncio.run(sent(jira, ASKS, reply))
        site.issues["SAFE-1"]["comments"] += [document_of([f"talk {n}"]) for n in range(35)]
        with given(site) as (jira, _):
            asyncio.run(sent(jira, reply, reply))
        said = [texts_of(body) for body in site.issues["SAFE-1"]["comments"]]
        assert sum("Any news?" in texts for texts in said) == 1
        assert {"Any news?", reply.link, effect_label("k")} == said[0]

    def test_a_status_is_moved_to_and_a_second_time_nothing_moves(self, given: Any) -> None:
        site = JiraTwin()
        done = delivery(EffectKind.SET_STATUS, issue="SAFE-1", status="closed")
        with given(site) as (jira, server):
            asyncio.run(sent(jira, ASKS, done, done))
        assert site.issues["SAFE-1"]["status"] == "Done"
        if server:
            moves = [each for each in server.asked if each.path.endswith("/transitions")]
            assert [each.method for each in moves] == ["GET", "POST"]

    def test_an_effect_that_names_no_issue_is_about_the_newest_one_of_its_case(
        self, given: Any
    ) -> None:
        site = JiraTwin()
        newer = delivery(EffectKind.OPEN_ISSUE, key="newer")
        elsewhere = delivery(EffectKind.OPEN_ISSUE, key="elsewhere", case_id="c2")
        done = delivery(EffectKind.SET_STATUS, status="closed")
        with given(site) as (jira, _):
            assert asyncio.run(sent(jira, ASKS, newer, elsewhere, done))[-1] == "SAFE-2"
        assert [issue["status"] for issue in site.issues.values()] == ["To Do", "Done", "To Do"]

    def test_a_move_that_the_workflow_does_not_have_is_refused(self, given: Any) -> None:
        odd = delivery(EffectKind.SET_STATUS, issue="SAFE-1", status="Sealed")
        with given(JiraTwin()) as (jira, _), pytest.raises(ProviderRefused, match="no move"):
            asyncio.run(sent(jira, ASKS, odd))

    def test_an_issue_that_is_not_there_is_refused(self, given: Any) -> None:
        lost = delivery(EffectKind.REPLY, issue="SAFE-9", text="Hello?")
        with given(JiraTwin()) as (jira, _), pytest.raises(ProviderRefused):
            asyncio.run(sent(jira, lost))


@pytest.fixture(scope="module")
def contract() -> Any:
    """Jira's platform API, as published."""
    return json.loads(gzip.decompress(CONTRACT.read_bytes()))


def schema(contract: Any, name: str) -> Draft7Validator:
    """The validator of one of its schemas."""
    components = json.loads(json.dumps(contract["components"]))
    return Draft7Validator({"$ref": f"#/components/schemas/{name}", "components": components})


@pytest.mark.data
@pytest.mark.skipif(not CONTRACT.exists(), reason="the shared data folder is not here")
class TestContract:
    def test_requests_are_what_jira_publishes(self, contract: Any) -> None:
        site = JiraTwin()
        with client_of_a_server(site) as (jira, server):
            comment = delivery(EffectKind.REPLY, issue="SAFE-1", text="Any news?")
            move = delivery(EffectKind.SET_STATUS, issue="SAFE-1", status="In Progress")
            asyncio.run(sent(jira, ASKS, comment, move))
        assert server
        bodies = {
            "/rest/api/3/search": "SearchRequestBean",
            "/rest/api/3/issue": "IssueUpdateDetails",
            "/rest/api/3/issue/{issueIdOrKey}/comment": "Comment",
            "/rest/api/3/issue/{issueIdOrKey}/transitions": "IssueUpdateDetails",
        }
        seen = set()
        for asked in server.asked:
            url = urlsplit(asked.path.removeprefix("/v1"))
            # The search moved below its old path after this copy of the contract was made.
            path = url.path.removesuffix("/jql").replace("/SAFE-1", "/{issueIdOrKey}")
            published = contract["paths"][path][asked.method.lower()]
            names = {each["name"] for each in published.get("parameters", ())}
            assert parse_qs(url.query).keys() <= names
            if asked.method == "POST":
                schema(contract, bodies[path]).validate(asked.document)
            seen.add((asked.method, path))
        assert len(seen) == 7

    def test_the_twin_answers_as_jira_does(self, contract: Any) -> None:
        async def replies(site: JiraTwin) -> dict[str, Any]:
            made = await site.create({"fields": {"project": {"key": "SAFE"}, "labels": ["l"]}})
            await site.comment("SAFE-1", {"body": document_of(["x"])})
            return {
                "CreatedIssue": made,
                "SearchResults": await site.search('labels = "l"'),
                "PageOfComments": await site.comments("SAFE-1", 0),
                "IssueBean": await site.state("SAFE-1"),
                "Transitions": await site.transitions("SAFE-1"),
            }

        for name, document in asyncio.run(replies(JiraTwin())).items():
            assert schema(contract, name).is_valid(document), name


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(401), ProviderRefused),
        (httpx.Response(400, json={"errors": {"labels": "cannot be set"}}), ProviderRefused),
        (httpx.Response(410), ProviderRefused),
        (httpx.Response(429, headers={"Retry-After": "3600"}), RateLimited),
        (httpx.Response(503), ProviderUnavailable),
        (httpx.Response(200, json={"issues": "none"}), ProviderBadReply),
        (httpx.Response(200, content=b"<html>"), ProviderBadReply),
    ],
)
def test_every_failure_is_one_of_ours(reply: httpx.Response, kind: type[ProviderError]) -> None:
    with pytest.raises(kind):
        asyncio.run(sent(JiraClient(service=service(lambda request: reply)), ASKS))


def test_an_issue_that_may_have_been_made_is_looked_for_before_it_is_made_again() -> None:
    site, asked = JiraTwin(), []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        body = json.loads(request.content)
        if request.url.path.endswith("/jql"):
            return httpx.Response(200, json=await site.search(body["jql"]))
        await site.create(body)
        raise httpx.ReadTimeout("made, and nobody hears of it")

    def again() -> Any:
        return sent(JiraClient(service=service(answer)), ASKS)  # type: ignore[arg-type]

    with pytest.raises(ProviderError):
        asyncio.run(again())
    assert asyncio.run(again()) == ["SAFE-1"]
    assert [path.rpartition("/")[2] for path in asked] == ["jql", "issue", "jql"]


def test_a_request_shows_the_token_and_names_its_issue_alone() -> None:
    with client_of_a_server(JiraTwin()) as (jira, server), pytest.raises(ProviderRefused):
        asyncio.run(sent(jira, delivery(EffectKind.REPLY, issue="../7?x=1", text="Hello.")))
    assert server
    [asked] = server.asked
    assert asked.path.startswith("/v1/rest/api/3/issue/%2E%2E%2F7%3Fx%3D1/comment?")
    assert asked.headers["authorization"] == basic("ana@example.com")(KEY)["Authorization"]


@pytest.mark.parametrize(
    "effect",
    [
        delivery(EffectKind.REPLY, text="Hello."),
        delivery(EffectKind.SET_STATUS, issue="SAFE-1"),
        delivery(EffectKind.PAGE),
    ],
)
def test_an_effect_that_says_too_little_is_refused_for_good(effect: Any) -> None:
    with pytest.raises(ProviderRefused):
        asyncio.run(sent(JiraTwin(), effect))
