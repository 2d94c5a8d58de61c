"""Waking the run of a decided gate on the Prefect server in use."""

import asyncio

from casework.settings import Settings
from deployments.stack import running_api


async def wake(settings: Settings, run_id: str) -> bool:
    """Wake a run; False where no server is in use.

    Raises:
        EngineError: the server does not answer. One that hangs is waited for: callers set the end.
    """
    url = await asyncio.to_thread(running_api, settings)
    if url is None:
        return False
    from prefect import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from integrations.prefect_runs import PrefectReviewRuns

    with temporary_settings({PREFECT_API_URL: url}):
        async with get_client() as client:
            return await PrefectReviewRuns(client).wake([run_id]) == 1
