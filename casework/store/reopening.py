"""A closed case that waits again, at a gate of its own, for what was done to be put right."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from casework.cases import Status, check_transition
from casework.gates import GateStatus, gate_id
from casework.store.clocks import Opened, open_clocks
from casework.store.policy import stored_bundle
from casework.store.tables import Case, Gate


@dataclass(frozen=True, slots=True)
class Reopening:
    """What is asked at the gate, where, why and under which policy."""

    queue: str
    severity: str
    proposed_action: str | None
    reason: str
    requested_by: str  # may not answer
    evidence_digest: str
    policy_digest: str


def reopen_case(session: Session, case: Case, wanted: Reopening, now: datetime) -> Gate:
    """Open the next gate of a closed case, which is held, and start its clocks.

    What it is for is the caller's to write into the history. What was done stands until the gate
    decides otherwise, and is undone then as any action is.

    Raises:
        Conflict: the case is not closed.
    """
    check_transition(Status(case.status), Status.WAITING)
    step = _last_step(session, case) + 1
    gate = Gate(
        id=gate_id(case.id, case.revision, step),
        case_id=case.id,
        revision=case.revision,
        step=step,
        queue=wanted.queue,
        severity=wanted.severity,
        proposed_action=wanted.proposed_action,
        reason=wanted.reason,
        requested_by=wanted.requested_by,
        status=GateStatus.OPEN,
        evidence_digest=wanted.evidence_digest,
        policy_digest=wanted.policy_digest,
        opened_at=now,
    )
    session.add(gate)
    case.status, case.queue, case.updated_at = Status.WAITING, wanted.queue, now
    case.closed_at = None
    session.add(case)
    session.flush()
    opened = Opened(gate.id, case.id, wanted.queue, wanted.severity)
    open_clocks(session, stored_bundle(session, wanted.policy_digest), [opened], now)
    return gate


def _last_step(session: Session, case: Case) -> int:
    last = select(func.max(col(Gate.step))).where(
        col(Gate.case_id) == case.id, col(Gate.revision) == case.revision
    )
    return session.scalar(last) or 0
