"""The cache of providers' answers: those that have expired are dropped."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.store.engine import transaction
from casework.store.signals import forget_expired
from tasks.context import surroundings
from tasks.retrying import can_help


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def drop_expired() -> int:
    """Drop the answers that have expired; nobody reads them, but they take up room.

    Returns:
        How many were dropped.
    """
    here = surroundings("cache")
    with transaction(here.engine) as session:
        return forget_expired(session, here.now)
