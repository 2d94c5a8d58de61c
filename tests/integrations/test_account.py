"""The account service, over HTTP and embedded, held to the schema that we publish."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from casework.errors import ProviderBadReply
from casework.signals import Unknown
from integrations.account import (
    AccountClient,
    Accounts,
    AccountSource,
    AccountTwin,
    account_path,
    account_schema,
    checked_account,
    twin_account,
)
from tests.factories.evidence import evidence
from tests.factories.services import KEY, service
from tests.integrations.server import Asked, Given, Server, ok, serving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrations" / "account.md"
AWKWARD = ["u 1", "a/b", "..", ".", "a?b=c#d", "ü", "%2e%2e", "x@example.com", "a\\b", "-"]


def answer_as_the_twin(asked: Asked) -> Given:
    account_id = unquote(asked.path.removeprefix("/v1/accounts/"))
    if account_id.startswith("unknown"):
        return 404, {}, b"<h1>Not found</h1>"
    return ok(twin_account(account_id))


@contextmanager
def client_of_a_server() -> Iterator[tuple[Accounts, Server]]:
    with serving(answer_as_the_twin) as server:
        yield AccountClient(service=service(url=server.url, name="account")), server


@contextmanager
def twin() -> Iterator[tuple[Accounts, None]]:
    yield AccountTwin(), None


async def answered(accounts: Accounts, *ids: str) -> list[Any]:
    try:
        return list(await AccountSource(accounts).answers(ids))
    finally:
        await accounts.close()


@pytest.mark.parametrize("given", [client_of_a_server, twin], ids=["http", "twin"])
class TestAccounts:
    def test_an_account_gives_every_signal(self, given: Any) -> None:
        with given() as (accounts, _):
            [answer] = asyncio.run(answered(accounts, "u1"))
        source = AccountSource(accounts)
        values, unknown = source.meaning(evidence(), answer.document)
        assert set(values) == set(source.signals)
        assert unknown == {}

    def test_an_unknown_account_is_no_failure(self, given: Any) -> None:
        with given() as (accounts, _):
            known, missing = asyncio.run(answered(accounts, "u1", "unknown-9"))
        assert known.document is not None
        assert (missing.document, missing.reason) == (None, Unknown.NO_SUCH_ACCOUNT)

    @pytest.mark.parametrize("account_id", AWKWARD)
    def test_any_id_asks_for_that_account_alone(self, given: Any, account_id: str) -> None:
        with given() as (accounts, _):
            [answer] = asyncio.run(answered(accounts, account_id))
        expected = checked_account(twin_account(account_id), account_id)
        assert answer.document == expected.model_dump(mode="json", exclude={"id"})


def test_a_request_names_path_and_key() -> None:
    with client_of_a_server() as (accounts, server):
        asyncio.run(answered(accounts, "a/../b"))
    [asked] = server.asked
    assert (asked.method, asked.path) == ("GET", "/v1/accounts/a%2F..%2Fb")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == b""


@for_any(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()))
def test_no_id_leads_out_of_the_accounts(account_id: str) -> None:
    url = httpx.URL("https://service.example/v1/").join(account_path(account_id))
    head, _, tail = url.raw_path.decode().rpartition("/")
    assert (url.host, head, url.query, url.fragment) == ("service.example", "/v1/accounts", b"", "")
    assert unquote(tail) == account_id


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"id": "someone else"},
        {"id": "u1", "created_at": "yesterday"},
        {"id": "u1", "created_at": "2020-01-01T00:00:00"},
        {"id": "u1", "verified": "yes"},
        {"id": "u1", "payment_disputes": -1},
        {"id": "u1", "payment_disputes": 1.5},
        {"id": "u1", "country": "Germany"},
    ],
)
def test_a_reply_outside_the_schema_is_refused(document: Any) -> None:
    with pytest.raises(ProviderBadReply):
        checked_account(document, "u1")


def test_what_the_service_leaves_out_is_unknown() -> None:
    source = AccountSource(AccountTwin())
    values, unknown = source.meaning(evidence(), {"verified": True, "country": None})
    assert values == {"account_verified": True}
    assert set(unknown.values()) == {Unknown.NOT_GIVEN}
    assert set(unknown) == set(source.signals) - {"account_verified"}


@pytest.mark.parametrize(
    ("created", "days"),
    [("2026-02-28T12:00:01Z", 0), ("2026-02-28T11:00:00Z", 1), ("2026-03-05T00:00:00Z", 0)],
)
def test_age_is_in_whole_days_when_the_case_was_received(created: str, days: int) -> None:
    case = evidence(received_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    values, _ = AccountSource(AccountTwin()).meaning(case, {"created_at": created})
    assert values["account_age_days"] == days


def test_a_case_without_a_subject_asks_nothing() -> None:
    assert AccountSource(AccountTwin()).question(evidence()) is Unknown.NO_SUBJECT


def test_the_page_shows_the_schema_and_a_reply_that_fits_it() -> None:
    schema, example = (
        json.loads(block.split("```")[0]) for block in PAGE.read_text().split("```json\n")[1:3]
    )
    assert schema == account_schema()
    Draft202012Validator(schema).validate(example)
    checked_account(example, example["id"])
