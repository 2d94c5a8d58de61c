"""QA sampling: draw a plan's sample, open its blind re-reviews, propose pausing of rights."""

import asyncio
import logging
from datetime import datetime
from typing import Any, Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.policy.bundle import load_bundle
from casework.store.engine import transaction
from casework.store.policy import adopt_bundle
from casework.store.qa.drawing import draw_round, midnight
from casework.store.qa.rights import propose_pauses
from tasks.context import surroundings
from tasks.retrying import can_help

log = logging.getLogger(__name__)


_TASK: Final[dict[str, Any]] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 3,
    "retry_delay_seconds": [1, 5, 20],
    "retry_condition_fn": can_help,
}


@task(**_TASK)
async def propose_pausing() -> int:
    """Propose pausing rights wherever somebody has fallen below a threshold of the bundle.

    Returns:
        How many proposals wait for a lead now that did not before; running again makes none twice.
    """
    here = surroundings("qa_sampling")
    bundle = load_bundle(here.settings.bundle_dir)
    if not bundle.rights:
        return 0
    with transaction(here.engine) as session:
        adopt_bundle(session, bundle, here.by, here.now)
        return len(propose_pauses(session, bundle, here.by, here.now))


@task(**_TASK)
async def draw_sample(
    plan: str, seed: str | None = None, until: datetime | None = None
) -> dict[str, Any] | None:
    """Draw a sample once: the same plan, seed and window give the round there is.

    Without a seed it is the plan's name with the day; without an end the window ends at midnight.

    Returns:
        The round's id, its seed, digests, counts and strata; nothing of any case. None where the
        window has no decisions, or the bundle no such plan: not every team has one.

    Raises:
        InputError: the window is not over yet.
    """
    here = surroundings("qa_sampling")
    bundle = load_bundle(here.settings.bundle_dir)
    if plan not in bundle.qa:
        log.warning("nothing is drawn: the policy bundle has no QA plan %s", plan)
        return None
    closes = until or midnight(here.now)
    # In a thread: reading a large population must not hold up the loop's heartbeats.
    found = await asyncio.to_thread(
        draw_round, here.engine, bundle, plan, closes, here.by, here.now, seed=seed
    )
    if found is None:
        return None
    told = ("id", "plan", "seed", "population", "sampled", "strata")
    digests = ("plan_digest", "population_digest", "sample_digest")
    return {name: getattr(found, name) for name in (*told, *digests)}
