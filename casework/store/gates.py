"""Gates in the store: looking at them, and the runs that wait at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, or_, select, update
from sqlmodel import Session, col

from casework.clocks.model import ClockKind
from casework.errors import NotFound
from casework.gates import GateStatus, Given, Situation, Verdict
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.cases import marked_data
from casework.store.ledger import append
from casework.store.tables import Assignment, Case, Clock, Decision, Gate

#: What a list of waiting gates shows of each; ``gate_by_id`` has the rest.
LISTED: Final = (
    "id",
    "case_id",
    "revision",
    "step",
    "queue",
    "severity",
    "proposed_action",
    "reason",
    "requested_by",
    "opened_at",
    "holder",  # who has it
    "due_at",  # when it is to be decided; None while a stop keeps it from being due
)


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
    queue: str
    outcome: str  # what was decided, in ids: the verdict and what goes with it


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
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Open gates, the most severe first, then the oldest; rows of LISTED, by name.

    A claim that has run out at ``now`` shows no holder; without it, until the sweep has taken the
    gate back.
    """
    # The table, not the class: what is made for the class's rows costs as much as reading them.
    tables = (Gate.__table__, Assignment.__table__, Clock.__table__)  # type: ignore[attr-defined]
    gates, held_by, clocks = (table.c for table in tables)
    of_page = select(*(gates[name] for name in LISTED[:-2])).where(gates.status == GateStatus.OPEN)
    if queues is not None:
        of_page = of_page.where(gates.queue.in_(queues))
    # The page is cut first, so that a page of fifty is not joined for all that wait.
    page = of_page.order_by(*_oldest_first(gates)).limit(limit).offset(offset).subquery()
    live = held_by.gate_id == page.c.id
    if now is not None:
        live &= or_(held_by.lease_until.is_(None), held_by.lease_until > now)
    decision = and_(clocks.gate_id == page.c.id, clocks.kind == ClockKind.DECISION.value)
    statement = (
        select(page, held_by.holder, clocks.due_at)
        .select_from(page.outerjoin(tables[1], live).outerjoin(tables[2], decision))
        .order_by(*_oldest_first(page.c))
    )
    # All at once: the driver checks its result anew for each row that is asked for by itself.
    return [dict(zip(LISTED, row, strict=True)) for row in session.execute(statement).all()]


def _oldest_first(columns: Any) -> tuple[Any, ...]:
    return columns.severity, columns.opened_at, columns.id


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
        queue=found.queue,
        outcome=" ".join(filter(None, (found.verdict, found.action, found.escalate_to))),
    )


def situation(session: Session, case: Case, gate: Gate, now: datetime) -> Situation:
    """A gate as the guard sees it."""
    found = session.get(Assignment, gate.id)
    given = [
        Given(earlier.actor, Verdict(earlier.verdict), earlier.action)
        for earlier in answers_at(session, gate.id)
    ]
    return Situation(
        status=GateStatus(gate.status),
        queue=gate.queue,
        requested_by=gate.requested_by,
        evidence_digest=gate.evidence_digest,
        current=gate.revision == case.revision,
        given=given,
        holder=None if found is None else live_holder(found, now),
        locked=found is not None and found.locked_at is not None,
        now=now,
    )


def live_holder(assignment: Assignment, now: datetime) -> str | None:
    """Who has a gate at ``now``; nobody once a claim has run out."""
    lease = assignment.lease_until
    return assignment.holder if lease is None or lease > now else None


def let_go(session: Session, gate: str) -> bool:
    """Take a gate from whoever has it: their part in it is done. Tell whether it was on hold."""
    found = session.get(Assignment, gate)
    if found is None:
        return False
    on_hold = found.hold_reason is not None
    found.holder = found.lease_until = found.next_at = None
    found.hold_reason = found.held_at = found.follow_up_at = None
    session.add(found)
    return on_hold


def deny(session: Session, gate: Gate, reason: str, by: Provenance, now: datetime) -> None:
    """Write a refused attempt into the history."""
    record(session, gate, Action.GATE_DENIED, {"reason": str(reason)}, by, now)


def note_view(session: Session, gate: str, by: Provenance, now: datetime) -> None:
    """Record that somebody looked at what a gate is about.

    Raises:
        NotFound: there is no such gate.
    """
    found = gate_by_id(session, gate)
    marked = marked_data(session, session.get_one(Case, found.case_id))
    record(session, found, Action.CASE_VIEWED, marked, by, now)


def note_wake(session: Session, gate: str, by: Provenance, now: datetime) -> int:
    """Record that a run woke at a gate nobody has decided; return the attempt to wait under.

    Raises:
        NotFound: there is no such gate.
    """
    _, found = held(session, gate)
    found.attempt += 1
    session.add(found)
    record(session, found, Action.GATE_WOKEN, {"attempt": found.attempt}, by, now)
    return found.attempt


def assign_run(
    session: Session, gate: str, flow_run_id: str, by: Provenance, now: datetime
) -> bool:
    """Name the run that waits at a gate; False if it already was that one.

    Raises:
        NotFound: there is no such gate.
    """
    _, found = held(session, gate)
    if found.flow_run_id == flow_run_id:
        return False
    data = {"flow_run_id": flow_run_id, "before": found.flow_run_id}
    found.flow_run_id = flow_run_id
    found.settled_at = None
    session.add(found)
    record(session, found, Action.RUN_ASSIGNED, data, by, now)
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


def gates_without_run(session: Session, limit: int = 10_000) -> list[Gate]:
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


def held(session: Session, gate: str) -> tuple[Case, Gate]:
    """The case, then the gate, both held until the transaction ends; always in this order.

    Raises:
        NotFound: there is no such gate.
    """
    case_id = session.scalar(select(col(Gate.case_id)).where(col(Gate.id) == gate))
    if case_id is None:
        raise NotFound(f"there is no gate {gate}", hint="casework approvals list")
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    return case, session.get_one(Gate, gate, with_for_update=True, populate_existing=True)


def record(
    session: Session,
    gate: Gate,
    action: Action,
    data: Mapping[str, Any],
    by: Provenance,
    now: datetime,
) -> None:
    """Write what happened at a gate into the history of its case."""
    append(session, [entry_at(gate, action, data)], by, now)


def entry_at(gate: Gate, action: Action, data: Mapping[str, Any]) -> Draft:
    """What happened at a gate, as the history of its case is to say it."""
    return Draft(
        chain=gate.case_id,
        action=action,
        data={"gate": gate.id, **data},
        revision=gate.revision,
        evidence_digest=gate.evidence_digest,
        policy_digest=gate.policy_digest,
    )
