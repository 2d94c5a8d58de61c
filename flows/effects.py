"""Effects, every minute: whatever is due leaves for its destination."""

from prefect import flow

from tasks.effects import send_due


@flow(name="effects", persist_result=False)
async def effects() -> dict[str, int]:
    """Send every effect that is due.

    Returns:
        How many were ``sent``, ``failed`` and will be tried again, or are ``dead``; and how many
        destinations are ``held``, for they are not set up.
    """
    return await send_due()
