"""What a review run does between its pauses: look at its gate, and carry out what was decided.

Every task reads the store anew, never Prefect's caches or the value a run was resumed with.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect import get_client, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from casework.answering import answer_gate, bundle_of
from casework.cases import Severity
from casework.errors import Conflict, Denied
from casework.evidence import seen_in_full
from casework.gates import ActorKind, GateStatus
from casework.settings import Settings
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.gates import assign_run, gate_by_id, note_wake, standing
from casework.store.sending import due_destinations
from integrations.resume_form import AnswerForm, take_form
from tasks.context import surroundings
from tasks.escalation import climb

RETRIES: dict[str, Any] = {"retries": 5, "retry_delay_seconds": [1, 2, 5, 15, 30]}


@task(cache_policy=NO_CACHE, persist_result=False, **RETRIES)
async def visit_gate(gate_id: str, flow_run_id: str) -> dict[str, Any]:
    """Read how a gate stands, and carry out a decision that is found there.

    One task and not two: a task run costs a review run a tenth of its time.

    Returns:
        ``gate_id``, ``attempt`` and ``status`` after the visit; ``queue`` and ``outcome``, where it
        waited and what was decided, in ids; ``ours``, whether the gate names this run (one that
        another has replaced touches nothing); ``carried_out``, whether this visit did it;
        ``following``, the next gate's id where the case goes on; ``leaves``, whether that caused
        anything to be sent now; ``form``, whether Prefect's form may hold an answer; ``page``,
        where the console shows the case.
    """
    here = surroundings("case_review")
    with reading(here.engine) as session:
        found = standing(session, gate_id)
    told = {
        "gate_id": gate_id,
        "attempt": found.attempt,
        "status": str(found.status),
        "queue": found.queue,
        "outcome": found.outcome,
        "ours": found.flow_run_id in (None, flow_run_id),
        "carried_out": False,
        "following": None,
        "leaves": False,
        "form": here.settings.prefect_ui_decisions != "off",
        "page": f"{here.settings.console_url.rstrip('/')}/cases/{found.case_id}",
    }
    if not told["ours"]:
        return told
    with transaction(here.engine) as session:
        if found.flow_run_id is None:
            # Its maker was stopped between making the run and naming it at the gate.
            assign_run(session, gate_id, flow_run_id, here.by, here.now)
        done = carry_out(session, gate_id, here.by, here.now)
        carried_out = found.status is GateStatus.DECIDED and done.status is GateStatus.CARRIED_OUT
        leaves = carried_out and due_destinations(session, here.now, found.case_id)
    if done.following:
        climb(here, Severity.P0)
    after = {"following": done.following, "carried_out": carried_out, "leaves": bool(leaves)}
    return {**told, **after, "status": str(done.status)}


@task(cache_policy=NO_CACHE, persist_result=False, **RETRIES)
async def wait_again(gate_id: str) -> int:
    """Record a wake that nobody's decision caused; return the attempt to wait under next."""
    here = surroundings("case_review")
    with transaction(here.engine) as session:
        return note_wake(session, gate_id, here.by, here.now)


@task(cache_policy=NO_CACHE, persist_result=False)
async def answer_from_form(gate_id: str, flow_run_id: str, attempt: int) -> bool:
    """Put what was typed into Prefect's Resume form before the guard.

    Returns:
        Whether the form held an answer that was accepted.
    """
    here = surroundings("case_review")
    if here.settings.prefect_ui_decisions == "off":
        return False
    async with get_client() as client:
        fields = await take_form(client, UUID(flow_run_id), gate_id, attempt)
    if fields is None:
        return False
    with reading(here.engine) as session:
        digest = gate_by_id(session, gate_id).evidence_digest
    try:
        answer_gate(
            here.engine,
            gate_id,
            str(fields.get("person", "")),
            _payload(fields, digest),
            now=datetime.now(UTC),
            kind=ActorKind.UNVERIFIED,
        )
    except (Denied, Conflict) as refusal:
        get_run_logger().warning("Answer at gate %s refused: %s", gate_id, refusal.reason)
        return False
    return True


def form_for(gate_id: str) -> type[AnswerForm] | None:
    """The form that Prefect's Resume button shows at this gate; None where it may not answer."""
    here = surroundings("case_review")
    return AnswerForm if takes_form(here.settings, here.engine, gate_id) else None


def takes_form(settings: Settings, engine: Engine, gate_id: str) -> bool:
    """Whether Prefect's Resume form may answer at this gate: allowed, and one person suffices."""
    if settings.prefect_ui_decisions == "off":
        return False
    with reading(engine) as session:
        gate = gate_by_id(session, gate_id)
    return not bundle_of(engine, gate.policy_digest).terms(gate.queue, None).needs_two


def _payload(fields: dict[str, Any], digest: str) -> dict[str, Any]:
    return {
        "verdict": fields.get("verdict"),
        "action": fields.get("action") or None,
        "escalate_to": fields.get("escalate_to") or None,
        "rationale": fields.get("rationale"),
        "evidence_digest": seen_in_full(digest, str(fields.get("evidence", ""))),
    }
