"""One case at its gates: suspended until people have decided, then carried on.

The run is made suspended when its gate opens, so waiting costs no process. Whatever wakes it, the
store alone says whether the gate has been decided; if not, the run suspends again under a new key.
"""

from typing import Any

from prefect import flow, get_run_logger
from prefect.flow_runs import asuspend_flow_run
from prefect.runtime import flow_run

from casework.gates import GateStatus
from casework.review_runs import pause_key
from tasks.case_review import (
    answer_from_form,
    carry_out_decision,
    form_for,
    look_at_gate,
    wait_again,
)


@flow(name="case_review", persist_result=True, result_serializer="json")
async def case_review(case_id: str, gate_id: str) -> str:
    """Bring a case from a gate to its end, over as many gates as it takes.

    Returns:
        How it ended: ``closed``, ``superseded`` or ``replaced`` (another run has the gate).
    """
    fresh = False
    while True:
        gate = await look_at_gate(gate_id, str(flow_run.id))
        get_run_logger().info("Gate %s is %s, attempt %s", gate_id, gate["status"], gate["attempt"])
        if not gate["ours"]:
            return "replaced"
        match gate["status"]:
            case GateStatus.SUPERSEDED:
                return "superseded"
            case GateStatus.OPEN:
                await _wait(gate, fresh)
            case _:
                done = await carry_out_decision(gate_id)
                if done["following"] is None:
                    return "superseded" if done["status"] == GateStatus.SUPERSEDED else "closed"
                gate_id, fresh = done["following"], True


async def _wait(gate: dict[str, Any], fresh: bool) -> None:
    """Suspend at an open gate; return only where Prefect's form brought an accepted answer."""
    gate_id, attempt = gate["gate_id"], gate["attempt"]
    if not fresh:
        if await answer_from_form(gate_id, str(flow_run.id), attempt):
            return
        attempt = await wait_again(gate_id)
    await asuspend_flow_run(
        wait_for_input=form_for(gate_id),
        key=pause_key(gate_id, attempt),
    )
