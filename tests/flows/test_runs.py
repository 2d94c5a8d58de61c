"""What Prefect's lists say of runs: a name with what and when, and a last word."""

from typing import Any

import pytest
from prefect import Flow, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import FlowRun
from sqlalchemy import Engine

from flows.cache import cache
from flows.effects import effects
from flows.enrichment import enrichment
from flows.escalation import escalation
from flows.health import health
from flows.inbox import inbox
from flows.incident_report import incident_report
from flows.pull import pull
from flows.reconcile import reconcile
from flows.risk_review import risk_review
from flows.runs import NOTHING, counted
from flows.seal import seal
from tests.factories.enriched import enriched_case

pytestmark = pytest.mark.anyio


async def ran(flow: Flow[..., Any], **parameters: Any) -> tuple[FlowRun, int]:
    """Run a flow; return the run as Prefect shows it, and how many artifacts it left."""
    state = await flow(**parameters, return_state=True)
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
        left = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        return run, len(await client.read_artifacts(artifact_filter=left))


def last_word(run: FlowRun) -> str | None:
    return run.state and run.state.message


QUIET = (
    cache,
    effects,
    enrichment,
    escalation,
    inbox,
    incident_report,
    pull,
    reconcile,
    risk_review,
    seal,
)


@pytest.mark.parametrize("flow", QUIET, ids=lambda flow: flow.name)
async def test_a_run_that_finds_nothing_says_what_and_when_and_leaves_no_artifact(
    flow: Flow[..., Any], prefect_server: None, store: Engine
) -> None:
    run, artifacts = await ran(flow)
    about = "-zendesk" if flow is pull else ""
    assert run.name.startswith(f"{flow.name}{about}-2")
    assert (last_word(run), artifacts) == (NOTHING, 0)


async def test_a_run_that_does_something_says_what_in_its_last_word(
    prefect_server: None, store: Engine
) -> None:
    enriched_case(store, "T-1", {"history": {"subject_cases_90d": 0}})
    reviewed, _ = await ran(risk_review)
    sealed, artifacts = await ran(seal)
    assert last_word(reviewed) == "1 review"
    assert str(last_word(sealed)).endswith("in all")
    assert artifacts == 1


async def test_a_run_about_one_thing_is_named_after_it(prefect_server: None, store: Engine) -> None:
    run, _ = await ran(risk_review, intake_id="i7")
    assert run.name.startswith("risk_review-i7-2")


async def test_health_says_how_today_stands(prefect_server: None, store: Engine) -> None:
    run, _ = await ran(health)
    assert last_word(run) == "no alerts; 0 clocks expected to be missed"


def test_counts_that_are_nothing_are_not_told() -> None:
    assert counted({"sent": 2, "dead": 0, "overdue_tasks": 1}) == "2 sent, 1 overdue tasks"
    assert counted({"sent": 0}) == ""
