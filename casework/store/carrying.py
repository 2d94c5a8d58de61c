"""Carrying out what was decided at a gate: the case is closed, or goes on to the next gate."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from casework.cases import Status, check_transition
from casework.gates import GateStatus, Verdict, gate_id
from casework.ledger.entries import Action, Provenance
from casework.store.clocks import Opened, open_clocks
from casework.store.consequences import cause, done_at, done_before
from casework.store.gates import answers_at, held, record
from casework.store.need_to_know import restrict_in_queue
from casework.store.policy import stored_bundle
from casework.store.tables import Case, Gate


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What became of a gate, and the gate after it where the case was handed over."""

    status: GateStatus
    following: str | None


def carry_out(session: Session, gate: str, by: Provenance, now: datetime) -> CarriedOut:
    """Do what was decided at a gate: close the case, or open the next gate.

    Safe to repeat: a gate that has been carried out answers the same again, and one that is open
    or superseded is left alone.

    Raises:
        NotFound: there is no such gate.
    """
    case, found = held(session, gate)
    following = gate_id(found.case_id, found.revision, found.step + 1)
    if found.status != GateStatus.DECIDED or found.revision != case.revision:
        known = session.get(Gate, following) is not None
        return CarriedOut(GateStatus(found.status), following if known else None)
    found.status = GateStatus.CARRIED_OUT
    session.add(found)
    data = {"verdict": found.verdict, "action": found.action, "escalate_to": found.escalate_to}
    record(session, found, Action.GATE_CARRIED_OUT, data, by, now)
    if found.verdict == Verdict.ESCALATE:
        found.settled_at = now  # its run goes on to the next gate
        _open_following(session, case, found, following, found.proposed_action, by, now)
        return CarriedOut(GateStatus.CARRIED_OUT, following)
    if found.action is not None:
        bundle = stored_bundle(session, found.policy_digest)
        cause(session, bundle, done_at(case, found, found.action, now), found.revision, by)
        if bundle.actions[found.action].reopens:
            found.settled_at = now
            proposed = bundle.actions[found.action].inverse
            _open_following(session, case, found, following, proposed, by, now)
            return CarriedOut(GateStatus.CARRIED_OUT, following)
    _close(session, case, found, by, now)
    return CarriedOut(GateStatus.CARRIED_OUT, None)


def _close(session: Session, case: Case, gate: Gate, by: Provenance, now: datetime) -> None:
    check_transition(Status(case.status), Status.CLOSED)
    case.status = Status.CLOSED
    # Where an undoing is refused, what was done before still stands.
    case.action = gate.action or done_before(session, gate)
    case.closed_at = case.updated_at = now
    session.add(case)
    data = {"action": gate.action, "verdict": gate.verdict}
    record(session, gate, Action.CASE_CLOSED, data, by, now)


def _open_following(
    session: Session,
    case: Case,
    gate: Gate,
    following: str,
    proposed: str | None,
    by: Provenance,
    now: datetime,
) -> None:
    check_transition(Status(case.status), Status.WAITING)
    escalated = gate.verdict == Verdict.ESCALATE
    queue = str(gate.escalate_to) if escalated else gate.queue
    asked_by = answers_at(session, gate.id)[-1].actor
    session.add(
        Gate(
            id=following,
            case_id=gate.case_id,
            revision=gate.revision,
            step=gate.step + 1,
            queue=queue,
            severity=gate.severity,
            proposed_action=proposed,
            reason=f"{'escalated from' if escalated else 'reopened in'} {gate.queue}",
            requested_by=asked_by,
            status=GateStatus.OPEN,
            evidence_digest=gate.evidence_digest,
            policy_digest=gate.policy_digest,
            flow_run_id=gate.flow_run_id,
            opened_at=now,
        )
    )
    opened = Opened(following, gate.case_id, queue, gate.severity)
    bundle = stored_bundle(session, gate.policy_digest)
    open_clocks(session, bundle, [opened], now)
    case.queue = queue
    case.updated_at = now
    session.add(case)
    data = {"gate": following, "queue": queue, "requested_by": asked_by, "step": gate.step + 1}
    record(session, gate, Action.GATE_OPENED, data, by, now)
    restrict_in_queue(session, bundle, case, queue, by, now)
