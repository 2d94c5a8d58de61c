"""The help desk, over HTTP and embedded, held to what its documentation says of it."""

import asyncio
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
from jsonschema import Draft202012Validator

from casework.effects import EffectKind
from casework.errors import (
    ProviderBadReply,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from casework.mapping import apply, load_mapping
from casework.resources import resource
from integrations.credentials import basic
from integrations.zendesk import (
    Change,
    Zendesk,
    ZendeskClient,
    ZendeskDestination,
    ZendeskFeed,
    ZendeskTwin,
)
from tests.conftest import SHARED_DATA
from tests.factories.deliveries import delivery
from tests.factories.services import KEY, service
from tests.factories.zendesk import ticket
from tests.integrations.server import Asked, Given, Server, ok, serving

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TICKETS = SHARED_DATA / "zendesk-seed-tables" / "ticket_data.csv"

#: Update Ticket, as far as it is used: fields, and the statuses the documentation lists.
UPDATE = Draft202012Validator(
    {
        "type": "object",
        "required": ["ticket"],
        "additionalProperties": False,
        "properties": {
            "ticket": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "status": {"enum": ["new", "open", "pending", "hold", "solved", "closed"]},
                    "metadata": {"type": "object"},
                    "comment": {
                        "type": "object",
                        "required": ["body"],
                        "additionalProperties": False,
                        "properties": {
                            "body": {"type": "string", "minLength": 1},
                            "public": {"type": "boolean"},
                        },
                    },
                },
            }
        },
    }
)


def answering(twin: ZendeskTwin) -> Any:
    """The help desk's three endpoints, as documented, over a twin."""

    def answer(asked: Asked) -> Given:
        url = urlsplit(asked.path.removeprefix("/v1"))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/api/v2/incremental/tickets/cursor.json":
            assert query.keys() in ({"cursor"}, {"start_time"})
            return ok(twin.exported(query.get("cursor"), int(query.get("start_time", 0))))
        _, number = unquote(url.path).split("/api/v2/tickets/")
        if asked.method == "GET":
            assert query["page[size]"] == "100"
            number = number.removesuffix("/audits.json")
            return ok(twin.audited(number, int(query.get("page[after]", 0))))
        UPDATE.validate(asked.document)
        return ok(twin.updated(number.removesuffix(".json"), asked.document))

    return answer


@contextmanager
def client_of_a_server(twin: ZendeskTwin) -> Iterator[tuple[Zendesk, Server | None]]:
    with serving(answering(twin)) as server:
        far_end = service(url=server.url, name="zendesk", scheme=basic("ana@example.com/token"))
        yield ZendeskClient(service=far_end), server


@contextmanager
def twin_itself(twin: ZendeskTwin) -> Iterator[tuple[Zendesk, Server | None]]:
    yield twin, None


async def pulled(zendesk: Zendesk, cursor: str | None = None) -> tuple[list[Any], str | None]:
    feed, items = ZendeskFeed(zendesk, SINCE), []
    while True:
        page = await feed.page(cursor)
        items += page.items
        cursor = page.cursor
        if page.complete:
            break
    await feed.close()
    return items, cursor


async def sent(zendesk: Zendesk, *deliveries: Any) -> list[Any]:
    destination = ZendeskDestination(zendesk=zendesk)
    receipts = [await destination.deliver(each) for each in deliveries]
    await destination.close()
    return receipts


@pytest.mark.parametrize("given", [client_of_a_server, twin_itself], ids=["http", "twin"])
class TestZendesk:
    def test_an_export_is_followed_to_its_end_and_goes_on_from_there(self, given: Any) -> None:
        desk = ZendeskTwin([ticket(n) for n in range(25)], page=10)
        with given(desk) as (zendesk, _):
            items, cursor = asyncio.run(pulled(zendesk))
        assert [item["id"] for item in items] == list(range(25))
        desk.tickets.append(ticket(25))
        with given(desk) as (zendesk, _):
            items, _ = asyncio.run(pulled(zendesk, cursor))
        assert [item["id"] for item in items] == [25]

    def test_the_first_pull_begins_at_its_time(self, given: Any) -> None:
        early = ticket(1, generated_timestamp=int(SINCE.timestamp()) - 1)
        with given(ZendeskTwin([early, ticket(2)])) as (zendesk, _):
            items, _ = asyncio.run(pulled(zendesk))
        assert [item["id"] for item in items] == [2]

    def test_a_reply_is_public_a_notice_is_not_and_a_status_is_the_tickets(
        self, given: Any
    ) -> None:
        desk = ZendeskTwin()
        with given(desk) as (zendesk, _):
            asyncio.run(
                sent(
                    zendesk,
                    delivery(
                        EffectKind.REPLY,
                        key="k1",
                        external_id=7,
                        text="We have acted.",
                        status="closed",
                    ),
                    delivery(EffectKind.NOTIFY, key="k2", external_id=7),
                    delivery(EffectKind.SET_STATUS, key="k3", external_id=7, status="waiting"),
                )
            )
        changes = [audit["change"] for audit in desk.audits["7"]]
        assert changes[0]["comment"] == {"body": "We have acted.", "public": True}
        assert changes[0]["status"] == "solved"
        assert changes[1]["comment"]["public"] is False
        assert "c0123456789abcdef" in changes[1]["comment"]["body"]
        assert changes[2]["status"] == "open"

    def test_the_same_key_twice_changes_the_ticket_once_however_long_its_history(
        self, given: Any
    ) -> None:
        desk = ZendeskTwin()
        reply = delivery(EffectKind.REPLY, key="k", external_id=7, text="We have acted.")
        with given(desk) as (zendesk, _):
            asyncio.run(sent(zendesk, reply))
        for n in range(250):
            desk.updated("7", Change(f"other{n}", "open").document())
        with given(desk) as (zendesk, _):
            receipts = asyncio.run(sent(zendesk, reply, reply))
        assert [receipt.reference for receipt in receipts] == ["7", "7"]
        assert sum("comment" in audit["change"] for audit in desk.audits["7"]) == 1


def test_a_request_shows_the_token_and_names_its_ticket_alone() -> None:
    with client_of_a_server(ZendeskTwin()) as (zendesk, server):
        asyncio.run(
            sent(zendesk, delivery(EffectKind.SET_STATUS, external_id="../7", status="open"))
        )
    assert server
    asked = server.asked[-1]
    assert (asked.method, asked.path) == ("PUT", "/v1/api/v2/tickets/%2E%2E%2F7.json")
    assert asked.headers["authorization"] == basic("ana@example.com/token")(KEY)["Authorization"]


def test_the_audits_of_an_archived_ticket_come_all_at_once() -> None:
    audits = {"audits": [{"metadata": {"custom": {"casework": "k"}}}, {"metadata": None}]}
    far_end = service(lambda request: httpx.Response(200, json=audits))
    assert asyncio.run(ZendeskClient(service=far_end).made("7", "k"))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(401), ProviderRefused),
        (httpx.Response(422, json={"error": "RecordInvalid"}), ProviderRefused),
        (httpx.Response(429, headers={"Retry-After": "3600"}), RateLimited),
        (httpx.Response(503), ProviderUnavailable),
        (httpx.Response(200, json={"tickets": "many"}), ProviderBadReply),
        (httpx.Response(200, json={"audits": [7]}), ProviderBadReply),
        (httpx.Response(200, content=b"<html>"), ProviderBadReply),
    ],
)
def test_every_failure_is_one_of_ours_and_none_shows_the_token(
    reply: httpx.Response, kind: type[ProviderError]
) -> None:
    for call in (
        lambda desk: desk.export(None, SINCE),
        lambda desk: desk.made("7", "k"),
    ):
        far_end = service(lambda request: reply, name="zendesk", scheme=basic("a@b.c/token"))
        with pytest.raises(kind) as caught:
            asyncio.run(call(ZendeskClient(service=far_end)))
        assert KEY not in repr(caught.value)
        assert basic("a@b.c/token")(KEY)["Authorization"] not in str(vars(caught.value))


def test_an_update_that_may_have_been_taken_is_not_sent_again_unseen() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if request.method == "GET":
            return httpx.Response(200, json={"audits": []})
        raise httpx.ReadTimeout("late")

    client = ZendeskClient(service=service(answer))
    with pytest.raises(ProviderError):
        asyncio.run(sent(client, delivery(EffectKind.REPLY, external_id=7, text="Hello.")))
    assert asked == ["GET", "PUT"]


@pytest.mark.parametrize(
    "effect",
    [
        delivery(EffectKind.REPLY, text="Hello."),
        delivery(EffectKind.REPLY, external_id=7),
        delivery(EffectKind.SET_STATUS, external_id=7),
        delivery(EffectKind.PAGE, external_id=7),
        delivery(EffectKind.REPLY, external_id=7, text="Hello.", source="mail"),
    ],
    ids=["no ticket", "no text", "no status", "no use", "no ticket of ours"],
)
def test_an_effect_that_says_too_little_is_refused_for_good(effect: Any) -> None:
    with pytest.raises(ProviderRefused) as caught:
        asyncio.run(sent(ZendeskTwin(), effect))
    assert not caught.value.transient


def test_what_agents_and_casework_change_is_not_content() -> None:
    mapping = load_mapping(resource("samples/mappings/zendesk-api.yaml"))
    later = {"status": "solved", "updated_at": "2026-02-02T00:00:00Z", "tags": [], "assignee_id": 1}
    before, after = (apply(mapping, ticket(1, **change)) for change in ({}, later))
    assert before.content() == after.content()
    assert apply(mapping, ticket(1, description="other words")).content() != before.content()


@pytest.mark.data
@pytest.mark.skipif(not TICKETS.exists(), reason="the shared data folder is not here")
def test_the_api_and_the_export_table_of_a_ticket_make_the_same_case() -> None:
    table = load_mapping(resource("samples/mappings/zendesk-tickets.yaml"))
    api = load_mapping(resource("samples/mappings/zendesk-api.yaml"))
    with TICKETS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    for row in rows:
        given = {
            **row,
            "id": int(row["id"]),
            "requester_id": int(row["requester_id"]),
            "created_at": row["created_at"].replace(" ", "T") + "Z",
            "via": {"channel": row["via_channel"]},
        }
        ours, theirs = apply(api, given), apply(table, row)
        for name in ("external_id", "received_at", "title", "body", "channel", "reporter_id"):
            assert getattr(ours, name) == getattr(theirs, name), name
