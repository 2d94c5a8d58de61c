"""Sealing: every minute, new entries get their place in the tree and its head is signed."""

from collections.abc import Mapping
from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from flows.runs import ended, run_name
from tasks.audit import seal_entries


@flow(name="seal", flow_run_name=run_name, persist_result=False)
async def seal() -> int:
    """Seal the ledger's new entries; the checkpoint becomes an artifact where there were any.

    Returns:
        How many entries were sealed.
    """
    done = await seal_entries()
    if done is None or not done["added"]:
        return ended(0)
    await acreate_markdown_artifact(
        markdown=summary(done), key="checkpoint", description="Signed head of the ledger"
    )
    return ended(int(done["added"]), f"{done['added']} entries sealed, {done['size']} in all")


def summary(done: Mapping[str, Any]) -> str:
    """The checkpoint's text as it was signed, and the key to check it with."""
    return (
        f"{done['added']} entries sealed, {done['size']} in all.\n\n"
        f"```\n{done['note']}```\n\nVerifier key: `{done['verifier']}`"
    )
