"""The inbox, every minute and soon after something came: what was posted is read."""

from prefect import flow

from flows.enrichment import enrichment
from flows.risk_review import risk_review
from flows.runs import counted, ended, run_name
from tasks.inbox import drain_inbox


@flow(name="inbox", flow_run_name=run_name, persist_result=False)
async def inbox() -> dict[str, int]:
    """Read what other systems have posted; enrich and decide the cases that were opened.

    Returns:
        How many messages came to each outcome.
    """
    counts = await drain_inbox()
    if counts.get("taken_in"):
        await enrichment()
        await risk_review()
    return ended(counts, counted(counts))
