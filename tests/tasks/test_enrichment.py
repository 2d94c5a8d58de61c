"""Gathering signals: providers fail alone, and no case is lost or held up."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from casework.cases import Evidence, Reading
from casework.errors import ProviderTimeout, ProviderUnavailable
from casework.ledger.entries import Provenance
from casework.ports import Provider
from casework.settings import Settings
from casework.signals import Unknown
from casework.store.engine import reading
from casework.store.tables import Case, SignalReading
from integrations.account import AccountSource, AccountTwin
from integrations.cache import StoreCache
from integrations.history import HistoryProvider
from integrations.lookup import LookupProvider
from integrations.moderation import ModerationTwin
from tasks.context import Context
from tasks.enrichment import Progress, ask, enrich, report
from tasks.providers import accounts_of, moderation_of, providers
from tests.factories.evidence import evidence, stored
from tests.factories.policy import small_bundle

SECRET = "words that stay in the store"


class Scripted:
    """A provider that does as it is told."""

    def __init__(self, result: Any, name: str = "scripted") -> None:
        self.name, self.version, self.signals = name, "1", ("one", "two")
        self._result = result

    async def read(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        if isinstance(self._result, Exception):
            raise self._result
        return [self._result] * len(evidence)


class Short(Scripted):
    """A provider that forgets a case."""

    async def read(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        return (await super().read(evidence))[1:]


GOOD = Reading("scripted", "1", {"one": 1, "two": "x"})


@pytest.fixture
def here(engine: Engine, by: Provenance, now: datetime) -> Context:
    return Context(Settings(batch_size=4), engine, by, now)


def asked(provider: Provider, cases: int = 3) -> list[Reading]:
    return asyncio.run(ask(provider, [evidence(i, body=SECRET) for i in range(cases)]))


@pytest.mark.parametrize(
    ("provider", "reason"),
    [
        (Scripted(ProviderTimeout("late")), Unknown.TIMEOUT),
        (Scripted(ProviderUnavailable("gone")), Unknown.UNAVAILABLE),
        (Scripted(TimeoutError()), Unknown.TIMEOUT),
        (Scripted(ZeroDivisionError(SECRET)), Unknown.ERROR),
        (Short(GOOD), Unknown.ERROR),
    ],
)
def test_a_provider_that_fails_leaves_its_signals_unknown(
    provider: Scripted, reason: Unknown, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        readings = asked(provider)
    assert [each.unknown for each in readings] == [{"one": reason, "two": reason}] * 3
    assert "scripted" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("values", "unknown"),
    [
        ({"one": float("nan"), "two": 1}, {"one": "bad_reply"}),
        ({"one": float("inf"), "two": 1}, {"one": "bad_reply"}),
        ({"one": [1], "two": 1}, {"one": "bad_reply"}),
        ({"one": 2**60, "two": 1}, {"one": "bad_reply"}),
        ({"two": 1}, {"one": "error"}),
        ({"one": 1, "two": 1, "three": 1}, {}),
    ],
)
def test_a_reading_is_held_to_what_its_provider_promises(
    values: dict[str, Any], unknown: dict[str, str]
) -> None:
    [got] = asked(Scripted(Reading("scripted", "1", values)), 1)
    assert got.unknown == unknown
    assert set(got.values) | set(got.unknown) == {"one", "two"}


def all_pages(here: Context, crew: Sequence[Provider]) -> list[Progress]:
    async def run() -> list[Progress]:
        pages, after = [], None
        while (page := await enrich(here, crew, None, after)).read:
            pages.append(page)
            after = page.after
        return pages

    return asyncio.run(run())


def test_every_case_is_enriched_whatever_its_providers_do(here: Context) -> None:
    ids = stored(here.engine, [{"body": SECRET} for _ in range(10)])
    broken = Scripted(RuntimeError(SECRET), "broken")
    pages = all_pages(here, [HistoryProvider(here.engine), Scripted(GOOD), broken])
    assert [page.enriched for page in pages] == [4, 4, 2]
    assert sum((page.failures["broken:error"] for page in pages), 0) == 10
    with reading(here.engine) as session:
        assert set(session.scalars(select(Case.status))) == {"enriched"}
        kept = session.execute(select(SignalReading.case_id, SignalReading.provider)).all()
    assert sorted(kept) == sorted(
        (case_id, name) for case_id in ids for name in ("history", "scripted", "broken")
    )


def test_a_second_run_finds_nothing_to_do(here: Context) -> None:
    stored(here.engine, [{} for _ in range(3)])
    assert len(all_pages(here, [Scripted(GOOD)])) == 1
    assert all_pages(here, [Scripted(GOOD)]) == []


class CountingAccounts(AccountTwin):
    """The twin, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def find(self, account_id: str) -> Any:
        self.asked.append(account_id)
        return await super().find(account_id)


def test_an_answer_is_asked_for_once(engine: Engine) -> None:
    accounts = CountingAccounts()
    cache = StoreCache(engine, timedelta(hours=1))
    provider = LookupProvider(AccountSource(accounts), cache)
    cases = [evidence(i, subject_id=f"u{i % 2}") for i in range(6)]
    first = asyncio.run(ask(provider, cases))
    second = asyncio.run(ask(provider, cases))
    assert sorted(accounts.asked) == ["u0", "u1"]
    assert {each.cached for each in first} == {False}
    assert {each.cached for each in second} == {True}
    assert [each.values for each in first] == [each.values for each in second]


def test_that_there_is_no_account_is_asked_again(engine: Engine) -> None:
    accounts = CountingAccounts()
    provider = LookupProvider(AccountSource(accounts), StoreCache(engine, timedelta(hours=1)))
    for _ in range(2):
        [got] = asyncio.run(ask(provider, [evidence(subject_id="unknown-1")]))
        assert set(got.unknown.values()) == {Unknown.NO_SUCH_ACCOUNT}
    assert len(accounts.asked) == 2


def test_a_service_that_is_not_configured_is_not_asked(engine: Engine) -> None:
    settings = Settings(moderation_url="", account_url="")
    assert moderation_of(settings) is None
    assert accounts_of(settings) is None
    names = [each.name for each in providers(settings, small_bundle(), engine)]
    assert names == ["patterns", "history"]


def test_the_twins_are_used_only_where_they_are_asked_for(engine: Engine) -> None:
    settings = Settings(moderation_url="twin:", account_url="twin:")
    moderation, accounts = moderation_of(settings), accounts_of(settings)
    assert isinstance(moderation, ModerationTwin)
    assert isinstance(accounts, AccountTwin)
    crew = providers(settings, small_bundle(), engine, moderation, accounts)
    assert [each.version for each in crew[2:]] == ["twin/1", "twin/1"]


def test_services_get_their_urls_and_keys_from_the_settings() -> None:
    settings = Settings(
        moderation_url="https://moderation.example/v1",
        moderation_api_key=SecretStr("k"),
        account_url="https://accounts.example",
    )
    moderation, accounts = moderation_of(settings), accounts_of(settings)
    assert moderation is not None
    assert accounts is not None
    assert moderation.version == "omni-moderation-latest/1"

    async def close() -> None:
        await moderation.close()
        await accounts.close()

    asyncio.run(close())


def test_the_report_has_a_row_for_each_provider() -> None:
    crew = [Scripted(GOOD), Scripted(GOOD, "other")]
    rows = report(crew, {"read": 5, "enriched": 5, "other:timeout": 2, "other:refused": 1})
    assert [row["cases it failed"] for row in rows] == [0, 3]
    assert rows[1]["reasons"] == "refused 1, timeout 2"
