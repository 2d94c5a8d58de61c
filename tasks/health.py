"""Health: record the days that are over, see how today stands, and make the report."""

import asyncio
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.health.charts import charts
from casework.health.regions import region_of
from casework.health.report import markdown, summary
from casework.policy.bundle import load_bundle
from casework.store.engine import reading, transaction
from casework.store.health.reports import read_health
from casework.store.health.taking import keep_snapshot, take_stock
from tasks.context import Context, surroundings
from tasks.retrying import can_help


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def watch_health() -> dict[str, Any]:
    """Record what is over, then keep how today stands with its charts.

    Returns:
        The days ``recorded`` and ``revised``, the number of their ``alerts``, the clocks
        ``expected_misses`` tells of, and the ``report``: ids and counts, nothing of any case.

    Raises:
        ConfigurationError: CASEWORK_HEALTH_REGION names nothing that a case or the policy has.
    """
    # In a thread: a day of many cases must not hold up the loop's heartbeats.
    return await asyncio.to_thread(_watched, surroundings("health"))


def _watched(here: Context) -> dict[str, Any]:
    bundle = load_bundle(here.settings.bundle_dir)
    region = region_of(bundle, here.settings.health_region)
    taken = take_stock(here.engine, bundle, region, here.by, here.now)
    with reading(here.engine) as session:
        found = read_health(session, region, here.now)
    told = summary(found)
    drawn = charts(found)
    with transaction(here.engine) as session:
        keep_snapshot(session, told, drawn, here.now)
    return {
        "recorded": list(taken.recorded),
        "revised": list(taken.revised),
        "alerts": taken.alerts,
        "expected_misses": told["expected_misses"],
        "report": markdown(found),
    }
