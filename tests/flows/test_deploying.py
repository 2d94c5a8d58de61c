"""Putting prefect.yaml on a real server, as an operator does and as the embedded stack does."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import yaml
from prefect import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_URL

from casework.resources import resource
from deployments.deploy import deploy_all
from tests.source import ROOT

pytestmark = pytest.mark.slow

#: What two ways of deploying must agree on.
SAME = (
    "description",
    "tags",
    "parameters",
    "entrypoint",
    "work_pool_name",
    "job_variables",
    "paused",
    "enforce_parameter_schema",
    "parameter_openapi_schema",
)


@pytest.fixture
async def clean(deployed: None) -> AsyncIterator[None]:
    """No deployment of ours before, and afterwards those that the other tests share."""
    await remove_all()
    yield
    await remove_all()
    await deploy_all(only={"case-review"})


async def remove_all() -> None:
    async with get_client() as client:
        for deployment in await ours():
            await client.delete_deployment(deployment.id)


async def ours() -> list[DeploymentResponse]:
    """The deployments that carry our tag, by name."""
    async with get_client() as client:
        found = await client.read_deployments(limit=200)
    return sorted((each for each in found if "casework" in each.tags), key=lambda each: each.name)


def declared() -> list[dict[str, Any]]:
    """What prefect.yaml declares, by name."""
    document = yaml.safe_load(resource("prefect.yaml").read_text())
    return sorted(document["deployments"], key=lambda entry: entry["name"])


def prefect_deploy() -> None:
    """``prefect --no-prompt deploy --all``, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value())},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def shape(deployment: DeploymentResponse) -> dict[str, Any]:
    """What matters of a deployment, without what differs from one server to the next."""
    options = deployment.concurrency_options
    return {
        **{name: getattr(deployment, name) for name in SAME},
        "limit": deployment.global_concurrency_limit and deployment.global_concurrency_limit.limit,
        "collision": options and str(options.collision_strategy.value),
        "schedules": sorted(
            (each.slug, each.active, each.schedule.interval.total_seconds(), each.parameters)
            for each in deployment.schedules
        ),
    }


async def test_deploying_twice_leaves_what_is_declared_once_whoever_does_it(clean: None) -> None:
    await deploy_all(only=())
    prefect_deploy()
    first = await ours()
    prefect_deploy()
    second = await ours()
    are_as_declared(first, second)

    # The embedded stack has a way of its own, and must come to the same.
    await remove_all()
    await deploy_all()
    third = await ours()
    assert [shape(each) for each in third] == [shape(each) for each in first]
    await deploy_all()
    are_as_declared(third, await ours())
    async with get_client() as client:
        found = await client.read_automations_by_name("casework-sweep-after-a-failure")
        sweep = await client.read_deployment_by_name("escalation/escalation")
    # Those of deployments that the test removed are left behind by Prefect.
    [automation] = [
        each
        for each in found
        if [getattr(a, "deployment_id", 0) for a in each.actions] == [sweep.id]
    ]
    assert automation.enabled


def are_as_declared(first: list[DeploymentResponse], second: list[DeploymentResponse]) -> None:
    """Deploying again changed nothing, and all is as prefect.yaml says."""
    assert [each.name for each in second] == [entry["name"] for entry in declared()]
    assert [each.id for each in second] == [each.id for each in first]
    assert [shape(each) for each in second] == [shape(each) for each in first]
    for entry, found in zip(declared(), map(shape, second), strict=True):
        limit = entry.get("concurrency_limit", {})
        wanted = [each["interval"] for each in entry.get("schedules", [])]
        assert [interval for _, _, interval, _ in found["schedules"]] == wanted
        assert found["limit"] == limit.get("limit")
        assert found["collision"] == limit.get("collision_strategy")
        assert {name: found[name] for name in ("description", "parameters", "entrypoint")} == {
            name: entry[name] for name in ("description", "parameters", "entrypoint")
        }
        assert sorted(found["tags"]) == sorted(entry["tags"])
        assert found["work_pool_name"] == entry["work_pool"]["name"]


async def test_a_deployment_with_a_schedule_gets_the_runs_of_its_schedule(clean: None) -> None:
    """Prefect's scheduler makes runs in bulk, which a newer SQLAlchemy refuses without a word.

    The harness runs no scheduler; the server is asked to do what the scheduler does, in the same
    function.
    """
    await deploy_all(only={"reconcile"})
    async with get_client() as client:
        reconcile = await client.read_deployment_by_name("reconcile/reconcile")
        await client.request(
            "POST",
            "/deployments/{id}/schedule",
            path_params={"id": reconcile.id},
            json={"min_runs": 3},
        )
        mine = DeploymentFilter(id=DeploymentFilterId(any_=[reconcile.id]))
        runs = await client.read_flow_runs(deployment_filter=mine)
    at = sorted(run.expected_start_time for run in runs if run.expected_start_time)
    assert {run.state_name for run in runs} == {"Scheduled"}
    assert len(at) >= 3
    assert {(b - a).total_seconds() for a, b in pairwise(at)} == {60.0}
    assert all(run.auto_scheduled for run in runs)
