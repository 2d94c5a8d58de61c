"""Pulling a source into the store: a page at a time, each recorded with the cursor behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from casework.intake import Counts
from casework.mapping import load_mapping
from casework.ports import Feed, Page
from casework.store.engine import reading, transaction
from casework.store.incoming import Incoming
from casework.store.intake import finish_intake
from casework.store.pulling import cursor_of, record_page
from tasks.connectors import feed_of
from tasks.context import Context, surroundings
from tasks.intake import way_through
from tasks.retrying import can_help

#: Pages of one run at the most: what Zendesk's export allows in a minute. The next run goes on.
PAGES: Final = 10

Record = Callable[[str | None, Page], Awaitable[Counts]]


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=[5, 60],
    retry_condition_fn=can_help,
)
async def pull_pages(source: str, intake_id: str) -> dict[str, int]:
    """Record what a source has that is new; nothing where the source is not configured.

    Returns:
        The counts of an intake, and how many ``pages`` were pulled.

    Raises:
        ProviderError: the source fails. What came before is recorded.
        Conflict: somebody else is pulling the source.
    """
    here = surroundings("pull")
    configured = feed_of(here.settings, source, here.now)
    if configured is None:
        get_run_logger().info("%s is not configured: nothing is pulled", source)
        return {**Counts().as_dict(), "pages": 0}
    feed, mapping = configured
    incoming = Incoming(intake_id, source, load_mapping(mapping))
    try:
        return await _pulled(here, feed, incoming)
    finally:
        await feed.close()


async def _pulled(here: Context, feed: Feed, incoming: Incoming) -> dict[str, int]:
    through = await asyncio.to_thread(way_through, here)

    async def record(before: str | None, page: Page) -> Counts:
        return await asyncio.to_thread(
            record_page,
            here.engine,
            incoming,
            before,
            page,
            here.by,
            datetime.now(UTC),
            through=through,
        )

    with reading(here.engine) as session:
        cursor = cursor_of(session, incoming.source)
    counts, pages = await take_pages(feed, cursor, record)
    if pages:
        with transaction(here.engine) as session:
            finish_intake(session, incoming.intake_id, here.by, datetime.now(UTC))
    get_run_logger().info("%d rows pulled in %d pages", counts.received, pages)
    return {**counts.as_dict(), "pages": pages}


async def take_pages(
    feed: Feed, cursor: str | None, record: Record, limit: int = PAGES
) -> tuple[Counts, int]:
    """Ask for page after page, and record each before the next is asked for.

    Returns:
        What became of the items, and how many pages were recorded.
    """
    counts, pages = Counts(), 0
    for _ in range(limit):
        page = await feed.page(cursor)
        if page.cursor == cursor and not page.items:
            break
        counts, pages = counts + await record(cursor, page), pages + 1
        if page.complete or page.cursor == cursor:
            break
        cursor = page.cursor
    return counts, pages
