"""Ways round a gate, each tried against a real Prefect server: none of them approves anything.

Afterwards the case is still waiting, and the reconciler finds or remakes a run in which a true
decision then closes it, once.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from prefect import get_client
from prefect.automations import AutomationCore
from prefect.client.schemas.responses import SetStateStatus
from prefect.events import emit_event
from prefect.events.actions import ResumeFlowRun
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.states import Cancelled, Cancelling, Completed, Pending, Running, Scheduled
from sqlalchemy import Engine

import casework.review_runs
from casework.errors import Conflict
from casework.store.carrying import carry_out
from casework.store.engine import transaction
from casework.store.tables import Case, Gate
from deployments.deploy import deploy_all
from flows.reconcile import reconcile as reconcile_flow
from tests.factories.gates import BY, NOW
from tests.flows.review import (
    case_status,
    decide,
    finish,
    gate_status,
    history,
    read_run,
    reconcile,
    resume,
    run_of,
    set_state,
    state_of,
    suspended_case,
)


async def still_waits_and_can_be_decided(store: Engine, gate: str) -> None:
    """The gate is open; a run waits or is made again; a true decision closes the case once."""
    assert (case_status(store, gate), gate_status(store, gate)) == ("waiting", "open")
    await reconcile()
    run = run_of(store, gate)
    assert await state_of(run) == "Suspended"
    assert decide(store, gate, "ana")
    await reconcile()
    await finish(run)
    assert (case_status(store, gate), gate_status(store, gate)) == ("closed", "carried_out")
    assert history(store, gate).count("case.closed") == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"verdict": "approve"},
        {"person": "ana", "verdict": "approve", "action": "no_action", "approved": True},
        {"__prefect_kind": "json", "value": '{"verdict": "approve"}'},
    ],
)
async def test_resuming_approves_nothing(
    store: Engine, deployed: None, body: dict[str, object] | None
) -> None:
    gate, run = await suspended_case(store)
    assert (await resume(run, body)).status == SetStateStatus.ACCEPT
    await finish(run)
    assert await state_of(run) == "Suspended"
    assert "gate.woken" in history(store, gate)
    await still_waits_and_can_be_decided(store, gate)


async def test_waking_again_and_again_approves_nothing(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    for _ in range(3):
        await resume(run, None)
        await finish(run)
        assert await state_of(run) == "Suspended"
    await still_waits_and_can_be_decided(store, gate)


async def test_setting_the_state_to_scheduled_approves_nothing(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    await set_state(run, Scheduled(), force=True)
    await finish(run)
    assert await state_of(run) == "Suspended"
    await still_waits_and_can_be_decided(store, gate)


@pytest.mark.parametrize("force", [False, True])
async def test_setting_the_state_to_completed_approves_nothing(
    store: Engine, deployed: None, force: bool
) -> None:
    gate, run = await suspended_case(store)
    await set_state(run, Completed(), force=force)
    assert await state_of(run) == "Completed", "Prefect did take it"
    await still_waits_and_can_be_decided(store, gate)


async def test_setting_the_state_to_running_approves_nothing(
    store: Engine, deployed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, run = await suspended_case(store)
    await set_state(run, Running(), force=True)
    await reconcile()
    assert run_of(store, gate) == run, "a run that may be alive is left alone"
    monkeypatch.setattr(casework.review_runs, "STALE_AFTER", timedelta(0))
    await reconcile()
    assert run_of(store, gate) != run, "one that moves nothing for long is replaced"
    monkeypatch.undo()
    monkeypatch.setenv("CASEWORK_HOME", str(store.url.database).removesuffix("/casework.db"))
    await still_waits_and_can_be_decided(store, gate)


async def test_a_run_that_was_replaced_touches_nothing(
    store: Engine, deployed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, run = await suspended_case(store)
    await set_state(run, Completed(), force=True)
    await reconcile()
    assert run_of(store, gate) != run
    before = history(store, gate)
    await set_state(run, Scheduled(), force=True)
    await finish(run)
    assert await state_of(run) == "Completed"
    assert history(store, gate) == before


@pytest.mark.slow
async def test_an_automation_that_resumes_approves_nothing(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    name = f"casework.test.{gate}"
    automation = AutomationCore(
        name=name,
        trigger=EventTrigger(
            expect={name}, posture=Posture.Reactive, threshold=1, within=timedelta(0)
        ),
        actions=[ResumeFlowRun()],
    )
    async with get_client() as client:
        automation_id = await client.create_automation(automation)
        try:
            for _ in range(30):
                emit_event(event=name, resource={"prefect.resource.id": f"prefect.flow-run.{run}"})
                await asyncio.sleep(1)
                if await state_of(run) == "Resuming":
                    break
        finally:
            await client.delete_automation(automation_id)
    assert await state_of(run) == "Resuming", "the automation did resume the run"
    await finish(run)
    assert await state_of(run) == "Suspended"
    await still_waits_and_can_be_decided(store, gate)


async def test_the_same_decision_twice_is_taken_once(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    with pytest.raises(Conflict, match="decided already"):
        decide(store, gate, "ana")
    await reconcile()
    await finish(run)
    with pytest.raises(Conflict, match="decided already"):
        decide(store, gate, "ben")
    assert history(store, gate).count("case.closed") == 1


async def test_a_decision_on_a_superseded_revision_does_nothing(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    with transaction(store) as session:
        case = session.get_one(Case, session.get_one(Gate, gate).case_id)
        case.revision, case.status = 2, "opened"
        session.get_one(Gate, gate).status = "superseded"
    await reconcile()
    await finish(run)
    assert await state_of(run) == "Completed"
    assert case_status(store, gate) == "opened", "the newer content is reviewed anew"
    assert "case.closed" not in history(store, gate)


async def test_a_retry_after_an_approval_carries_it_out_once(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    await reconcile()
    await finish(run)
    await set_state(run, Scheduled(name="AwaitingRetry"), force=True)
    await finish(run)
    assert await state_of(run) == "Completed"
    assert history(store, gate).count("case.closed") == 1
    assert history(store, gate).count("gate.woken") == 0


@pytest.mark.parametrize("state", [Cancelled, Cancelling])
async def test_cancelling_leaves_the_case_waiting_in_a_new_run(
    store: Engine, deployed: None, state: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, run = await suspended_case(store)
    await set_state(run, state())
    with monkeypatch.context() as patch:
        patch.setattr(casework.review_runs, "STALE_AFTER", timedelta(0))
        await reconcile()
    assert run_of(store, gate) != run
    await still_waits_and_can_be_decided(store, gate)


async def test_deleting_the_run_leaves_the_case_waiting_in_a_new_run(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    async with get_client() as client:
        await client.delete_flow_run(UUID(run))
    await reconcile()
    assert run_of(store, gate) != run
    await still_waits_and_can_be_decided(store, gate)


async def test_deleting_the_run_after_the_decision_loses_nothing(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    async with get_client() as client:
        await client.delete_flow_run(UUID(run))
    await reconcile()
    again = run_of(store, gate)
    assert await state_of(again) == "Scheduled"
    await finish(again)
    assert case_status(store, gate) == "closed"


async def test_a_redeploy_with_other_code_approves_nothing(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    before = (await read_run(run)).deployment_id
    async with get_client() as client:
        assert before is not None
        await client.delete_deployment(before)
    await deploy_all(only={"case-review"})
    await still_waits_after_redeploy(store, gate, run)


async def still_waits_after_redeploy(store: Engine, gate: str, run: str) -> None:
    """A deployment that was made anew has a new id; its old runs end and are made again."""
    await reconcile()
    if await state_of(run) == "Suspended":
        await resume(run, None)
        await set_state(run, Pending())
        await set_state(run, Completed(), force=True)
    await still_waits_and_can_be_decided(store, gate)


async def test_two_reconcilers_at_once_make_one_run(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    await set_state(run, Completed(), force=True)
    await asyncio.gather(reconcile_flow(), reconcile_flow())
    made = [action for action in history(store, gate) if action == "run.assigned"]
    assert len(made) == 2, "the first one, and one in its place"


def test_carrying_out_an_open_gate_does_nothing(store: Engine, prefect_server: None) -> None:
    gate, _ = asyncio.run(suspended_case(store))
    with transaction(store) as session:
        done = carry_out(session, gate, BY, NOW)
    assert (done.status, done.following) == ("open", None)
