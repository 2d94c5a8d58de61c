"""The task that pulls, through its function."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.errors import ProviderUnavailable
from casework.intake import Counts
from casework.ports import Page
from casework.store.engine import reading
from casework.store.pulling import cursor_of
from casework.store.tables import Case, Intake
from integrations.zendesk import ZendeskTwin
from tasks import connectors, intake
from tasks import pull as tasks
from tests.factories.intake import number_of
from tests.factories.zendesk import ticket


@pytest.fixture
def surroundings(
    engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    for module in (tasks, intake):
        monkeypatch.setattr(module, "get_run_logger", lambda: logging.getLogger("test"))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> ZendeskTwin:
    """A help desk whose tickets are in the past of every first pull."""
    twin = ZendeskTwin([ticket(n, generated_timestamp=4_000_000_000) for n in range(25)], page=10)
    monkeypatch.setattr(connectors, "zendesk_of", lambda *given: twin)
    return twin


class Scripted:
    """A feed that gives these pages, or fails where an error stands among them."""

    def __init__(self, pages: Sequence[Page | Exception]) -> None:
        self.pages, self.asked = list(pages), []  # type: ignore[var-annotated]

    async def page(self, cursor: str | None) -> Page:
        self.asked.append(cursor)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    async def close(self) -> None:
        pass


async def taken(feed: Scripted, cursor: str | None = None, limit: int = 5) -> list[Any]:
    recorded: list[Any] = []

    async def record(before: str | None, page: Page) -> Counts:
        recorded.append((before, page.cursor))
        return Counts(received=len(page.items))

    await tasks.take_pages(feed, cursor, record, limit)
    return recorded


@pytest.mark.usefixtures("surroundings")
async def test_what_is_new_is_recorded_and_the_next_pull_goes_on_from_there(
    engine: Engine, desk: ZendeskTwin
) -> None:
    counts = await tasks.pull_pages.fn("zendesk", "i1")
    assert (counts["opened"], counts["pages"]) == (25, 3)
    assert await tasks.pull_pages.fn("zendesk", "i2") == {**Counts().as_dict(), "pages": 0}
    desk.tickets.append(ticket(25, generated_timestamp=4_000_000_000))
    assert (await tasks.pull_pages.fn("zendesk", "i3"))["opened"] == 1
    assert number_of(engine, Case) == 26
    assert number_of(engine, Intake) == 2
    with reading(engine) as session:
        assert set(session.scalars(select(col(Intake.status)))) == {"finished"}
        assert cursor_of(session, "zendesk") == "26"


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("source", ["zendesk", "nothing-of-that-name"])
async def test_where_nothing_is_configured_nothing_is_done_and_that_is_said(
    engine: Engine, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    with caplog.at_level(logging.INFO, "test"):
        assert await tasks.pull_pages.fn(source, "i1") == {**Counts().as_dict(), "pages": 0}
    assert f"{source} is not configured: nothing is pulled" in caplog.text
    assert number_of(engine, Intake) == 0


@pytest.mark.usefixtures("surroundings")
async def test_a_url_that_asks_for_the_twin_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_ZENDESK_URL", "twin:")
    assert (await tasks.pull_pages.fn("zendesk", "i1"))["received"] == 0


async def test_pages_follow_one_another_until_the_last() -> None:
    feed = Scripted([Page([{}], "a", False), Page([{}], "b", False), Page([{}], "c", True)])
    assert await taken(feed) == [(None, "a"), ("a", "b"), ("b", "c")]


async def test_a_feed_that_does_not_move_is_not_asked_for_ever() -> None:
    assert await taken(Scripted([Page([], "a", True)]), "a") == []
    assert await taken(Scripted([Page([{}], "a", False)]), "a") == [("a", "a")]


async def test_a_run_takes_no_more_pages_than_the_source_allows_in_a_minute() -> None:
    feed = Scripted([Page([{}], str(n), False) for n in range(9)])
    assert len(await taken(feed, limit=4)) == 4


async def test_a_failure_costs_nothing_that_was_recorded_before() -> None:
    feed = Scripted([Page([{}], "a", False), ProviderUnavailable("gone")])
    with pytest.raises(ProviderUnavailable):
        await taken(feed)
    assert feed.asked == [None, "a"]
