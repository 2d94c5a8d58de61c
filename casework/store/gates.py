"""Gates in the store: answers taken under the guard, decisions carried out, runs assigned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from casework.canonical import digest
from casework.cases import Status, check_transition
from casework.errors import NotFound
from casework.gates import (
    Accepted,
    Answer,
    Denial,
    GateStatus,
    Given,
    Person,
    Refused,
    Situation,
    Terms,
    Verdict,
    gate_id,
    judge,
)
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.ledger import append
from casework.store.tables import Case, Decision, Gate


@dataclass(frozen=True, slots=True)
class Standing:
    """A gate's state as a flow needs it."""

    gate_id: str
    case_id: str
    revision: int
    status: GateStatus
    attempt: int
    flow_run_id: str | None
    policy_digest: str


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What became of a gate, and the gate after it where the case was handed over."""

    status: GateStatus
    following: str | None


def gate_by_id(session: Session, gate: str) -> Gate:
    """One gate.

    Raises:
        NotFound: there is no such gate.
    """
    found = session.get(Gate, gate)
    if found is None:
        raise NotFound(f"there is no gate {gate}", hint="casework approvals list")
    return found


def waiting_gates(
    session: Session,
    *,
    queues: Sequence[str] | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Open gates, the most severe first, then the oldest; rows of plain values."""
    gates = Gate.__table__  # type: ignore[attr-defined]
    statement = (
        select(gates)
        .where(gates.c.status == GateStatus.OPEN)
        .order_by(gates.c.severity, gates.c.opened_at, gates.c.id)
        .limit(limit)
        .offset(offset)
    )
    if queues is not None:
        statement = statement.where(gates.c.queue.in_(queues))
    return [dict(row._mapping) for row in session.execute(statement)]


def answers_at(session: Session, gate: str) -> list[Decision]:
    """What people have answered at a gate, oldest first."""
    return list(
        session.scalars(
            select(Decision).where(col(Decision.gate_id) == gate).order_by(col(Decision.decided_at))
        )
    )


def standing(session: Session, gate: str) -> Standing:
    """How a gate stands now.

    Raises:
        NotFound: there is no such gate.
    """
    found = gate_by_id(session, gate)
    return Standing(
        gate_id=found.id,
        case_id=found.case_id,
        revision=found.revision,
        status=GateStatus(found.status),
        attempt=found.attempt,
        flow_run_id=found.flow_run_id,
        policy_digest=found.policy_digest,
    )


def take_answer(
    session: Session,
    gate: str,
    person: Person,
    answer: Answer,
    terms: Terms,
    by: Provenance,
    now: datetime,
) -> Accepted | Refused:
    """Let the guard rule on an answer and keep what it ruled, a refusal too.

    Raises:
        NotFound: there is no such gate.
    """
    case, found = _locked(session, gate)
    given = [
        Given(earlier.actor, Verdict(earlier.verdict), earlier.action)
        for earlier in answers_at(session, gate)
    ]
    situation = Situation(
        status=GateStatus(found.status),
        queue=found.queue,
        requested_by=found.requested_by,
        evidence_digest=found.evidence_digest,
        current=found.revision == case.revision,
        given=given,
    )
    ruling = judge(situation, person, answer, terms)
    if isinstance(ruling, Refused):
        deny(session, found, ruling.reason, by, now)
        return ruling
    _keep(session, found, answer, by, now)
    if ruling.missing == 0:
        _decide(session, found, answer, by, now)
    else:
        session.flush()
    return ruling


def deny(session: Session, gate: Gate, reason: Denial, by: Provenance, now: datetime) -> None:
    """Write a refused attempt into the history."""
    _entry(session, gate, Action.GATE_DENIED, {"reason": str(reason)}, by, now)


def carry_out(session: Session, gate: str, by: Provenance, now: datetime) -> CarriedOut:
    """Do what was decided at a gate: close the case, or open the next gate.

    Safe to repeat: a gate that has been carried out answers the same again, and one that is open
    or superseded is left alone.

    Raises:
        NotFound: there is no such gate.
    """
    case, found = _locked(session, gate)
    following = gate_id(found.case_id, found.revision, found.step + 1)
    if found.status != GateStatus.DECIDED or found.revision != case.revision:
        known = session.get(Gate, following) is not None
        return CarriedOut(GateStatus(found.status), following if known else None)
    found.status = GateStatus.CARRIED_OUT
    session.add(found)
    data = {"verdict": found.verdict, "action": found.action, "escalate_to": found.escalate_to}
    _entry(session, found, Action.GATE_CARRIED_OUT, data, by, now)
    if found.verdict == Verdict.ESCALATE:
        found.settled_at = now  # its run goes on to the next gate
        _open_following(session, case, found, following, by, now)
        return CarriedOut(GateStatus.CARRIED_OUT, following)
    _close(session, case, found, by, now)
    return CarriedOut(GateStatus.CARRIED_OUT, None)


def note_view(session: Session, gate: str, by: Provenance, now: datetime) -> None:
    """Record that somebody looked at what a gate is about.

    Raises:
        NotFound: there is no such gate.
    """
    _entry(session, gate_by_id(session, gate), Action.CASE_VIEWED, {}, by, now)


def note_wake(session: Session, gate: str, by: Provenance, now: datetime) -> int:
    """Record that a run woke at a gate nobody has decided; return the attempt to wait under.

    Raises:
        NotFound: there is no such gate.
    """
    _, found = _locked(session, gate)
    found.attempt += 1
    session.add(found)
    _entry(session, found, Action.GATE_WOKEN, {"attempt": found.attempt}, by, now)
    return found.attempt


def assign_run(
    session: Session, gate: str, flow_run_id: str, by: Provenance, now: datetime
) -> bool:
    """Name the run that waits at a gate; False if it already was that one.

    Raises:
        NotFound: there is no such gate.
    """
    _, found = _locked(session, gate)
    if found.flow_run_id == flow_run_id:
        return False
    data = {"flow_run_id": flow_run_id, "before": found.flow_run_id}
    found.flow_run_id = flow_run_id
    found.settled_at = None
    session.add(found)
    _entry(session, found, Action.RUN_ASSIGNED, data, by, now)
    return True


def unsettled_gates(session: Session, limit: int = 1000, after: str = "") -> list[Gate]:
    """Gates whose run still matters, decided ones and others alike, in order of their id."""
    statement = (
        select(Gate)
        .where(col(Gate.settled_at).is_(None), col(Gate.id) > after)
        .order_by(col(Gate.id))
        .limit(limit)
    )
    return list(session.scalars(statement))


def gates_without_run(session: Session, limit: int = 1000) -> list[Gate]:
    """Open or decided gates that no run waits at, the most severe first."""
    statement = (
        select(Gate)
        .where(
            col(Gate.flow_run_id).is_(None),
            or_(col(Gate.status) == GateStatus.OPEN, col(Gate.status) == GateStatus.DECIDED),
        )
        .order_by(col(Gate.severity), col(Gate.opened_at))
        .limit(limit)
    )
    return list(session.scalars(statement))


def settle(session: Session, gates: Sequence[str], now: datetime) -> None:
    """Mark gates whose run has ended and is no longer looked after. No history: nothing of the
    case changes."""
    if gates:
        session.execute(
            update(Gate)
            .where(
                col(Gate.id).in_(gates),
                col(Gate.status).in_([GateStatus.CARRIED_OUT, GateStatus.SUPERSEDED]),
            )
            .values(settled_at=now)
        )


def _locked(session: Session, gate: str) -> tuple[Case, Gate]:
    """The case, then the gate, both held until the transaction ends; always in this order."""
    case_id = session.scalar(select(col(Gate.case_id)).where(col(Gate.id) == gate))
    if case_id is None:
        raise NotFound(f"there is no gate {gate}", hint="casework approvals list")
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    return case, session.get_one(Gate, gate, with_for_update=True, populate_existing=True)


def _keep(session: Session, gate: Gate, answer: Answer, by: Provenance, now: datetime) -> None:
    decision = Decision(
        id=digest([gate.id, gate.revision, by.actor])[:32],
        case_id=gate.case_id,
        revision=gate.revision,
        gate_id=gate.id,
        actor=by.actor,
        actor_kind=by.actor_kind,
        verdict=answer.verdict,
        action=answer.action,
        severity=gate.severity,
        queue=answer.escalate_to or gate.queue,
        clause=answer.clause,
        rationale=answer.rationale,
        unknown=[],
        evidence_digest=gate.evidence_digest,
        policy_digest=gate.policy_digest,
        code_version=by.code_version,
        flow_run_id=gate.flow_run_id,
        decided_at=now,
    )
    session.add(decision)
    data = {
        "decision": decision.id,
        "verdict": str(answer.verdict),
        "action": answer.action,
        "escalate_to": answer.escalate_to,
        "clause": answer.clause,
        "rationale_digest": digest(answer.rationale),
    }
    _entry(session, gate, Action.GATE_ANSWERED, data, by, now)


def _decide(session: Session, gate: Gate, answer: Answer, by: Provenance, now: datetime) -> None:
    gate.status = GateStatus.DECIDED
    gate.verdict = answer.verdict
    gate.action = answer.action
    gate.escalate_to = answer.escalate_to
    gate.decided_at = now
    session.add(gate)
    data = {
        "verdict": str(answer.verdict),
        "action": answer.action,
        "escalate_to": answer.escalate_to,
        "answers": [earlier.id for earlier in answers_at(session, gate.id)],
    }
    _entry(session, gate, Action.GATE_DECIDED, data, by, now)


def _close(session: Session, case: Case, gate: Gate, by: Provenance, now: datetime) -> None:
    check_transition(Status(case.status), Status.CLOSED)
    case.status = Status.CLOSED
    case.action = gate.action
    case.closed_at = case.updated_at = now
    session.add(case)
    data = {"action": gate.action, "verdict": gate.verdict}
    _entry(session, gate, Action.CASE_CLOSED, data, by, now)


def _open_following(
    session: Session, case: Case, gate: Gate, following: str, by: Provenance, now: datetime
) -> None:
    check_transition(Status(case.status), Status.WAITING)
    queue = str(gate.escalate_to)
    asked_by = answers_at(session, gate.id)[-1].actor
    session.add(
        Gate(
            id=following,
            case_id=gate.case_id,
            revision=gate.revision,
            step=gate.step + 1,
            queue=queue,
            severity=gate.severity,
            proposed_action=gate.proposed_action,
            reason=f"handed over from {gate.queue}",
            requested_by=asked_by,
            status=GateStatus.OPEN,
            evidence_digest=gate.evidence_digest,
            policy_digest=gate.policy_digest,
            flow_run_id=gate.flow_run_id,
            opened_at=now,
        )
    )
    case.queue = queue
    case.updated_at = now
    session.add(case)
    data = {"gate": following, "queue": queue, "requested_by": asked_by, "step": gate.step + 1}
    _entry(session, gate, Action.GATE_OPENED, data, by, now)


def _entry(
    session: Session,
    gate: Gate,
    action: Action,
    data: Mapping[str, Any],
    by: Provenance,
    now: datetime,
) -> None:
    draft = Draft(
        chain=gate.case_id,
        action=action,
        data={"gate": gate.id, **data},
        revision=gate.revision,
        evidence_digest=gate.evidence_digest,
        policy_digest=gate.policy_digest,
    )
    append(session, [draft], by, now)
