"""Effects, every minute: whatever is due leaves for its destination."""

from prefect import flow

from flows.runs import counted, ended, run_name
from tasks.effects import send_due


@flow(name="effects", flow_run_name=run_name, persist_result=False)
async def effects() -> dict[str, int]:
    """Send every effect that is due.

    Returns:
        How many were ``sent``, ``failed`` and will be tried again, or are ``dead``; and how many
        destinations are ``held``, for they are not set up.
    """
    counts = await send_due()
    return ended(counts, counted(counts))
