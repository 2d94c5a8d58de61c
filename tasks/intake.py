"""Reading a file of rows into the store.

One task run reads a whole file. Rows never pass through Prefect: its parameters and results are
kept in clear. Each batch is a transaction that also counts the rows in it, so a run that is tried
again goes on after the last batch that was committed: what is repeated is at most one batch's
reading, and nothing is recorded twice. A task run for each batch would have to find its place in
the file anew, which in a compressed one means to read all that stands before it.
"""

import asyncio
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from casework.errors import CaseworkError, InputError
from casework.intake import Counts
from casework.mapping import load_mapping
from casework.store.decisions import counts_by_route, ways_of_intake
from casework.store.engine import reading
from casework.store.intake_run import run_intake
from casework.store.quarantine import reasons_of
from casework.store.straight import StraightThrough
from tasks.context import Context, surroundings
from tasks.providers import straight_through
from tasks.retrying import can_help


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def read_file(
    path: str, intake_id: str, mapping: str | None = None, source: str | None = None
) -> dict[str, int]:
    """Record what a file holds: cases opened and revised, duplicates, rows quarantined.

    Where every provider is embedded, new cases are enriched and decided at once.

    Returns:
        The counts ``received``, ``opened``, ``duplicates``, ``revised`` and ``quarantined``.

    Raises:
        InputError: the file cannot be read at all.
        MappingError: the mapping does not load.
        Conflict: somebody else is reading the same intake.
    """
    here = surroundings("intake")
    log = get_run_logger()

    def tell(counts: Counts) -> None:
        log.info("%d rows read, %d quarantined", counts.received, counts.quarantined)

    counts = await asyncio.to_thread(
        run_intake,
        here.engine,
        path,
        intake_id,
        here.by,
        lambda: datetime.now(UTC),
        mapping=load_mapping(mapping) if mapping else None,
        source=source,
        batch_size=here.settings.batch_size,
        progress=tell,
        through=await asyncio.to_thread(way_through, here),
    )
    return counts.as_dict()


def way_through(here: Context) -> StraightThrough | None:
    """The way straight through; without it where the policy cannot be used: its stages say why."""
    try:
        return straight_through(here.settings, here.engine)
    except CaseworkError as error:
        get_run_logger().warning("new cases wait for the stages: %s", error.code)
        return None


@task(cache_policy=NO_CACHE, persist_result=False, retries=2, retry_condition_fn=can_help)
async def routes_of_intake(intake_id: str) -> dict[str, int]:
    """How many of the cases that an intake opened or revised went each way."""
    with reading(surroundings("intake").engine) as session:
        return counts_by_route(ways_of_intake(session, intake_id))


@task(cache_policy=NO_CACHE, persist_result=False)
async def spool_input(intake_id: str) -> str:
    """Keep what comes on standard input in a file, so that it can be read again.

    Returns:
        The file's path.

    Raises:
        InputError: it cannot be kept.
    """
    folder = surroundings("intake").settings.home / "spool"
    kept = folder.absolute() / f"{intake_id}.rows"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with kept.open("xb") as spool:
            await asyncio.to_thread(shutil.copyfileobj, sys.stdin.buffer, spool, 1024 * 1024)
    except OSError as error:
        raise InputError(f"standard input cannot be kept: {error.strerror}") from error
    return str(kept)


@task(cache_policy=NO_CACHE, persist_result=False)
async def drop_spool(path: str) -> None:
    """Remove what ``spool_input`` kept: its rows are in the store now."""
    Path(path).unlink(missing_ok=True)


@task(cache_policy=NO_CACHE, persist_result=False, retries=2, retry_condition_fn=can_help)
async def reasons_for_quarantine(intake_id: str) -> dict[str, int]:
    """How many rows of an intake were quarantined for each reason."""
    with reading(surroundings("intake").engine) as session:
        return reasons_of(session, intake_id)
