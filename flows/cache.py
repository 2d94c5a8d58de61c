"""Housekeeping of the providers' cache, every hour: what has expired takes up no more room."""

from prefect import flow

from tasks.cache import drop_expired


@flow(name="cache", persist_result=False)
async def cache() -> None:
    """Drop the answers of providers that have expired."""
    await drop_expired()
