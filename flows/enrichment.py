"""Enrichment: every opened case gets its signals, or the reason why one is unknown."""

from collections import Counter

from prefect import flow, get_run_logger
from prefect.artifacts import acreate_table_artifact

from flows.runs import ended, run_name
from tasks.context import surroundings
from tasks.enrichment import enrich_page, report
from tasks.providers import crew_of


@flow(name="enrichment", flow_run_name=run_name)
async def enrichment(intake_id: str | None = None) -> dict[str, int]:
    """Gather signals for the opened cases of one intake, or of all.

    Returns:
        ``read`` and ``enriched`` cases, and for each provider that failed, under
        ``<provider>:<reason>``, the number of cases whose signals it left unknown.
    """
    here = surroundings("enrichment")
    counts: Counter[str] = Counter(read=0, enriched=0)
    after = None
    async with crew_of(here.settings, here.engine) as crew:
        while True:
            page = await enrich_page(crew, intake_id, after)
            if not page.read:
                break
            after = page.after
            counts.update(read=page.read, enriched=page.enriched)
            counts.update(page.failures)
        result = dict(counts)
        if counts["read"]:
            await acreate_table_artifact(
                report(crew, result), key="enrichment", description=_told(counts)
            )
    for failure in sorted(counts.keys() - {"read", "enriched"}):
        get_run_logger().warning("%s: %d cases", failure, counts[failure])
    return ended(result, _told(counts) if counts["read"] else "")


def _told(counts: Counter[str]) -> str:
    return f"{counts['enriched']} of {counts['read']} cases enriched"
