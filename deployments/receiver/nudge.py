"""Having the inbox read soon after something came, not only when its schedule says so."""

import asyncio
import logging
import os
from importlib import import_module
from typing import Final

import httpx

#: Seconds between two nudges at least.
GAP_SECONDS: Final = 5.0

DEPLOYMENT: Final = "inbox/inbox"

log = logging.getLogger(__name__)


class Nudge:
    """Asks Prefect for a run of the inbox where there is a server to ask.

    A nudge that fails costs nothing but time: the deployment's schedule comes every minute.
    """

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def soon(self) -> None:
        """Ask for a run, from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def run(self) -> None:
        """Make the runs that are asked for, until cancelled."""
        if not os.environ.get("PREFECT_API_URL"):
            return
        self._loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await _make_run()
            await asyncio.sleep(GAP_SECONDS)


async def _make_run() -> None:
    # Prefect takes a second to import, and posts are answered meanwhile.
    flow_runs = await asyncio.to_thread(import_module, "prefect.deployments.flow_runs")
    exceptions = await asyncio.to_thread(import_module, "prefect.exceptions")
    try:
        await flow_runs.arun_deployment(DEPLOYMENT, timeout=0, as_subflow=False)
    except (exceptions.PrefectException, httpx.HTTPError) as error:
        log.warning("the inbox is read at its next minute: %s", type(error).__name__)
