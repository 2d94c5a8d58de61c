"""Housekeeping of gates and runs, every minute: whatever came apart is brought together."""

from prefect import flow

from casework.review_runs import Step
from flows.runs import counted, ended, run_name
from tasks.review_runs import bring_together


@flow(name="reconcile", flow_run_name=run_name)
async def reconcile() -> dict[str, int]:
    """Make, wake, replace or let go of review runs until each gate has the run it needs.

    Returns:
        How often each step was taken.
    """
    steps = await bring_together()
    return ended(steps, counted({step: n for step, n in steps.items() if step != Step.LEAVE}))
