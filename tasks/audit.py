"""Audit: seal the ledger's new entries under a signed checkpoint."""

import asyncio
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from casework.ledger.keys import load_signer
from casework.store.sealing import seal
from tasks.context import surroundings
from tasks.retrying import can_help


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[1, 5, 20],
    retry_condition_fn=can_help,
)
async def seal_entries() -> dict[str, Any] | None:
    """Seal every entry that is committed; sealing again adds nothing.

    Returns:
        How many were ``added``, the ``size``, ``root`` and ``note`` of the head that now stands,
        and the ``verifier`` key; None while the ledger is empty.

    Raises:
        LedgerFault: the last checkpoint is not one that this key signed.
    """
    here = surroundings("seal")
    signer = load_signer(here.settings.key_file, here.settings.ledger_origin)
    # In a thread: a long sealing must not hold up the loop's heartbeats.
    done = await asyncio.to_thread(seal, here.engine, signer, here.now)
    if done is None:
        return None
    return {
        "added": done.added,
        "size": done.size,
        "root": done.root,
        "note": done.note,
        "verifier": str(signer.verifier),
    }
