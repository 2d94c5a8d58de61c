"""One case at its gates: suspended until people have decided, then carried on.

The run is made suspended when its gate opens, so waiting costs no process. Whatever wakes it, the
store alone says whether the gate has been decided; if not, the run suspends again under a new key.
"""

from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.flow_runs import asuspend_flow_run
from prefect.runtime import flow_run
from prefect.states import Completed

from casework.gates import GateStatus
from casework.review_runs import pause_key
from tasks.case_review import (
    answer_from_form,
    form_for,
    visit_gate,
    wait_again,
)
from tasks.effects import send_of_case


@flow(name="case_review", persist_result=True, result_serializer="json")
async def case_review(case_id: str, gate_id: str) -> State[str]:
    """Bring a case from a gate to its end, over as many gates as it takes.

    Returns:
        How it ended: ``closed``, ``superseded`` or ``replaced`` (another run has the gate). The
        state's message, which Prefect's pages show, also says what was decided, in ids.
    """
    fresh = False
    while True:
        gate = await visit_gate(gate_id, str(flow_run.id))
        get_run_logger().info("Case %s, %s: %s", case_id, _told(gate), gate["page"])
        if not gate["ours"]:
            return _ended("replaced", case_id, gate)
        if gate["leaves"]:
            await send_of_case(case_id)
        may_hold_answer = gate["form"] and not fresh
        if may_hold_answer and await answer_from_form(gate_id, str(flow_run.id), gate["attempt"]):
            continue
        match gate["status"]:
            case GateStatus.SUPERSEDED:
                return _ended("superseded", case_id, gate)
            case GateStatus.OPEN:
                await _wait(gate, fresh)
                fresh = False
            case _ if gate["following"] is None:
                return _ended("closed", case_id, gate)
            case _:
                # Only a gate that this very execution opened has not been waited at: a run that
                # was woken at its second gate comes by the first one again.
                gate_id, fresh = gate["following"], gate["carried_out"]


def _told(gate: dict[str, Any]) -> str:
    """How a gate stands, for people who read about runs: ids and facts, never text."""
    decided = f", decided: {gate['outcome']}" if gate["outcome"] else ""
    stands = f"{gate['status']}{decided}, attempt {gate['attempt']}"
    return f"gate {gate['gate_id']} in {gate['queue']}: {stands}"


def _ended(how: str, case_id: str, gate: dict[str, Any]) -> State[str]:
    return Completed(message=f"Case {case_id} {how}; {_told(gate)}", data=how)


async def _wait(gate: dict[str, Any], fresh: bool) -> None:
    """Suspend at an open gate, under a key that has not been used before."""
    gate_id = gate["gate_id"]
    attempt = gate["attempt"] if fresh else await wait_again(gate_id)
    await asuspend_flow_run(
        wait_for_input=form_for(gate_id),
        key=pause_key(gate_id, attempt),
    )
