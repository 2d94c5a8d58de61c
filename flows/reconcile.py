"""Housekeeping of gates and runs, every minute: whatever came apart is brought together."""

from prefect import flow

from tasks.review_runs import bring_together


@flow(name="reconcile")
async def reconcile() -> dict[str, int]:
    """Make, wake, replace or let go of review runs until each gate has the run it needs.

    Returns:
        How often each step was taken.
    """
    return await bring_together()
