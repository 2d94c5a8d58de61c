"""Pulling: what a ticket system has that is new becomes cases, as if it had come in a file."""

from prefect import flow

from flows.enrichment import enrichment
from flows.intake import intake_of_run
from flows.risk_review import risk_review
from flows.runs import counted, ended, run_name
from tasks.intake import routes_of_intake
from tasks.pull import pull_pages


@flow(name="pull", flow_run_name=run_name, persist_result=False)
async def pull(source: str = "zendesk", intake_id: str | None = None) -> dict[str, int]:
    """Pull a source, then enrich and decide the cases it opened or revised.

    Returns:
        The counts of an intake, and ``pages``; all zero where nothing is configured or new.
    """
    identity = intake_id or intake_of_run()
    counts = await pull_pages(source, identity)
    if counts["received"]:
        await enrichment(identity)
        await risk_review(identity)
    counts |= await routes_of_intake(identity)
    return ended(counts, counted(counts))
