"""Running review runs by hand, as a worker would, and looking at their states."""

from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow_async
from prefect.states import Pending

from flows.case_review import case_review


async def read_run(run_id: str) -> FlowRun:
    """The run as the server knows it."""
    async with get_client() as client:
        return await client.read_flow_run(UUID(run_id))


async def state_of(run_id: str) -> str | None:
    """The name of the run's state."""
    return (await read_run(run_id)).state_name


async def finish(run_id: str) -> None:
    """Run a run that is due, as a worker does: claim it, run it, take a pause for success."""
    async with get_client() as client:
        await client.set_flow_run_state(UUID(run_id), Pending())
        run = await client.read_flow_run(UUID(run_id))
    try:
        await run_flow_async(case_review, flow_run=run, parameters=run.parameters)
    except Pause:
        return
