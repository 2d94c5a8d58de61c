"""Risk review: put the policy to cases whose signals are gathered, a batch at a time."""

from collections import Counter
from functools import lru_cache
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.answering import bundle_of
from casework.policy.bundle import load_bundle
from casework.policy.evaluate import decide, frame
from casework.policy.model import Bundle
from casework.store.decisions import counts_by_route, record_outcomes
from casework.store.engine import open_engine, reading, transaction
from casework.store.facts import Place, enriched_cases, rows_for_policy
from casework.store.policy import adopt_bundle
from tasks.context import surroundings
from tasks.retrying import can_help


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def adopt_policy() -> str:
    """Keep the bundle in force in the store, if it is new there, and return its digest.

    Raises:
        PolicyError: the bundle does not lint.
    """
    here = surroundings("risk_review")
    bundle = load_bundle(here.settings.bundle_dir)
    with transaction(here.engine) as session:
        adopt_bundle(session, bundle, here.by, here.now)
    return bundle.digest


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def decide_batch(
    policy_digest: str, intake_id: str | None = None, after: Place | None = None
) -> dict[str, Any]:
    """Decide the next batch of cases that wait for the policy. Safe to repeat and to run twice.

    Returns:
        ``counts`` (``closed``, ``review``, ``escalated``), ``ways`` (route, rule, queue and number)
        and ``after``, the place to go on from; None where no case is left.
    """
    here = surroundings("risk_review")
    bundle = _bundle(here.settings.store_url, policy_digest)
    with reading(here.engine) as session:
        places = enriched_cases(session, intake_id, after, here.settings.batch_size)
        facts = rows_for_policy(session, [case for _, case in places])
    outcomes = decide(bundle, frame(bundle, [each.row for each in facts]))
    ways: Counter[tuple[str, str | None, str | None]] = Counter()
    if facts:
        with transaction(here.engine) as session:
            ways = record_outcomes(session, bundle, facts, outcomes, here.by, here.now)
    return {
        "counts": counts_by_route(ways),
        "ways": [[*way, number] for way, number in ways.items()],
        "after": list(places[-1]) if places else None,
    }


@lru_cache(maxsize=4)
def _bundle(store_url: str, policy_digest: str) -> Bundle:
    """A bundle of record, kept between batches: the same digest is the same bundle."""
    return bundle_of(open_engine(store_url), policy_digest)
