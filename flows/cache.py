"""Housekeeping of the providers' cache, every hour: what has expired takes up no more room."""

from prefect import flow

from flows.runs import counted, ended, run_name
from tasks.cache import drop_expired


@flow(name="cache", flow_run_name=run_name, persist_result=False)
async def cache() -> int:
    """Drop the answers of providers that have expired.

    Returns:
        How many were dropped.
    """
    dropped = await drop_expired()
    return ended(dropped, counted({"answers dropped": dropped}))
