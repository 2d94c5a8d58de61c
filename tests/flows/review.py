"""Running review runs by hand, as a worker would, and looking at how gates and cases stand."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from prefect import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import OrchestrationResult
from prefect.exceptions import Abort, Pause
from prefect.flow_engine import run_flow_async
from prefect.states import Pending, State
from sqlalchemy import Engine, select

from casework.answering import answer_gate
from casework.policy.model import Bundle
from casework.store.engine import reading
from casework.store.gates import gate_by_id
from casework.store.ledger import entries_of
from casework.store.tables import Case, Gate
from flows.case_review import case_review
from tasks.review_runs import bring_together
from tests.factories.gates import add_people, answer, waiting_case


async def suspended_case(
    store: Engine, queue: str = "general", bundle: Bundle | None = None
) -> tuple[str, str]:
    """A new case waiting at a gate, and its suspended run; returns the gate's and the run's id."""
    with reading(store) as session:
        known = session.scalars(select(Gate)).first()
    if known is None:
        add_people(store)
    # Tests share a Prefect server: an id used twice would find the earlier test's run.
    gate_id = waiting_case(store, f"T-{uuid4()}", queue=queue, bundle=bundle)
    await reconcile()
    return gate_id, run_of(store, gate_id)


def decide(store: Engine, gate_id: str, person: str, **fields: Any) -> bool:
    """Answer at a gate as somebody; whether the gate is decided by it."""
    with reading(store) as session:
        evidence = gate_by_id(session, gate_id).evidence_digest
    payload = answer(**{"evidence_digest": evidence, **fields})
    return answer_gate(store, gate_id, person, payload, now=datetime.now(UTC)).decided


def run_of(store: Engine, gate_id: str) -> str:
    """The run that the gate names."""
    with reading(store) as session:
        run_id = gate_by_id(session, gate_id).flow_run_id
    assert run_id is not None
    return run_id


def gate_status(store: Engine, gate_id: str) -> str:
    """The gate's status."""
    with reading(store) as session:
        return gate_by_id(session, gate_id).status


def case_status(store: Engine, gate_id: str) -> str:
    """The status of the gate's case."""
    with reading(store) as session:
        return session.get_one(Case, gate_by_id(session, gate_id).case_id).status


def history(store: Engine, gate_id: str) -> list[str]:
    """The actions in the case's chain, oldest first."""
    with reading(store) as session:
        return [e.action for e in entries_of(session, gate_by_id(session, gate_id).case_id)]


async def reconcile() -> dict[str, int]:
    """What the flow ``reconcile`` does, without a flow run around it."""
    return await bring_together.fn()


async def read_run(run_id: str) -> FlowRun:
    """The run as the server knows it."""
    async with get_client() as client:
        return await client.read_flow_run(UUID(run_id))


async def state_of(run_id: str) -> str | None:
    """The name of the run's state."""
    return (await read_run(run_id)).state_name


async def set_state(run_id: str, state: State[Any], *, force: bool = False) -> None:
    """Push the run into a state, as anybody with access to Prefect's API can."""
    async with get_client() as client:
        await client.set_flow_run_state(UUID(run_id), state, force=force)


async def resume(run_id: str, body: dict[str, Any] | None) -> OrchestrationResult[Any]:
    """Press Prefect's Resume button with some input."""
    async with get_client() as client:
        return await client.resume_flow_run(UUID(run_id), run_input=body)


async def finish(run_id: str) -> None:
    """Run a run that is due, as a worker does: claim it, run it, take a pause for success."""
    async with get_client() as client:
        await client.set_flow_run_state(UUID(run_id), Pending())
        run = await client.read_flow_run(UUID(run_id))
    # As the worker's lanes do: without its deployment's id the engine does not watch the run.
    alone = run.model_copy(update={"deployment_id": None})
    try:
        await run_flow_async(case_review, flow_run=alone, parameters=run.parameters)
    except (Pause, Abort):
        return
