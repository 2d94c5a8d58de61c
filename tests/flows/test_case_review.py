"""One gate, end to end, against a real Prefect server."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.store.engine import reading
from casework.store.tables import Case, Gate
from flows.reconcile import reconcile
from tests.factories.gates import add_people, answer, waiting_case
from tests.flows.review import finish, state_of


async def test_a_decision_closes_its_case(store: Engine, deployed: None) -> None:
    add_people(store)
    gate_id = waiting_case(store)
    await reconcile()
    run_id = run_of(store, gate_id)
    assert await state_of(run_id) == "Suspended"

    answer_gate(store, gate_id, "ana", answer(), now=datetime.now(UTC))
    await reconcile()
    await finish(run_id)

    assert await state_of(run_id) == "Completed"
    assert status_of(store, gate_id) == ("closed", "no_action", "carried_out")


def run_of(store: Engine, gate_id: str) -> str:
    with reading(store) as session:
        run_id = session.get_one(Gate, gate_id).flow_run_id
    assert run_id is not None
    return run_id


def status_of(store: Engine, gate_id: str) -> tuple[str, str | None, str]:
    with reading(store) as session:
        gate = session.get_one(Gate, gate_id)
        case = session.get_one(Case, gate.case_id)
    return case.status, case.action, gate.status
