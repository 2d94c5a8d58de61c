"""Escalation, every minute: what runs out of time is told, moved, raised, paged about or locked."""

from prefect import flow

from flows.runs import counted, ended, run_name
from tasks.escalation import sweep_clocks


@flow(name="escalation", flow_run_name=run_name, persist_result=False)
async def escalation() -> dict[str, int]:
    """Take the steps of every ladder that are due, end claims and holds that have run out.

    Returns:
        How often each thing was done.
    """
    counts = await sweep_clocks()
    return ended(counts, counted(counts))
