"""What a lane's client answers without asking the server, and what it does not."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, FlowRunPolicy
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from deployments.lane_client import LaneClient


@pytest.fixture
def run() -> FlowRun:
    return FlowRun(id=uuid4(), flow_id=uuid4(), name="c1 gate 1")


@pytest.fixture
def client(run: FlowRun) -> Iterator[LaneClient]:
    """A client with a run in hand whose server is not there: whatever it asks fails."""
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        client = LaneClient("http://127.0.0.1:9/api")
        client.hold(run)
        yield client


async def test_the_run_in_hand_is_known(client: LaneClient, run: FlowRun) -> None:
    assert await client.read_flow_run(run.id) is run


async def test_any_other_run_is_asked_for(client: LaneClient) -> None:
    with pytest.raises(httpx.ConnectError):
        await client.read_flow_run(uuid4())


async def test_what_the_server_knows_is_not_repeated(client: LaneClient, run: FlowRun) -> None:
    policy = FlowRunPolicy(retries=0)
    done = await client.update_flow_run(run.id, flow_version="1", empirical_policy=policy)
    assert done.status_code == httpx.codes.NO_CONTENT


async def test_the_server_is_told_of_retries_and_of_a_name(
    client: LaneClient, run: FlowRun
) -> None:
    for told in ({"empirical_policy": FlowRunPolicy(retries=2)}, {"name": "another"}):
        with pytest.raises(httpx.ConnectError):
            await client.update_flow_run(run.id, flow_version="1", **told)
