"""The escalation sweep: the steps that are due are taken, each once, and what is odd is mended.

A step, its entry and what it sends are written in one transaction, under the lock of its case. Two
sweeps at once do not take a step twice: the second finds it taken.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import exists, select
from sqlmodel import Session, col

from casework.cases import Severity
from casework.clocks.ladders import StepKind
from casework.clocks.model import ClockKind, ClockState
from casework.effects import Effect
from casework.escalation import (
    ACTIONS,
    Due,
    Rungs,
    climbed,
    due_steps,
    effect_of,
    is_breached,
    step_key,
    unsaid,
)
from casework.gates import GateStatus
from casework.ledger.entries import Action, Draft, Provenance, timestamp
from casework.policy.model import Bundle
from casework.store.clocks import (
    Opened,
    clock_of,
    end_partner_clock,
    open_clocks,
    settle_clock,
)
from casework.store.gates import let_go, live_holder
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.outbox import enqueue
from casework.store.policy import bundle_of_record
from casework.store.tables import Assignment, Case, Clock, Gate

#: Gates looked at in one transaction.
BATCH: Final = 500


@dataclass(slots=True)
class _Climbing:
    """One gate on its ladder, and all that its steps will write."""

    case: Case
    gate: Gate
    bundle: Bundle
    assignment: Assignment | None
    clocks: list[Clock] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def take_due_steps(
    session: Session,
    by: Provenance,
    now: datetime,
    *,
    severity: Severity | None = None,
    gates: Collection[str] | None = None,
    limit: int = BATCH,
) -> Counter[str]:
    """Take the steps that are due on some gates, and note the targets that were missed.

    Args:
        session: a session that will write.
        by: who takes them.
        now: the time.
        severity: only clocks that were started at this severity.
        gates: only these gates.
        limit: gates looked at.

    Returns:
        How many ``gates`` were looked at, 0 where nothing is due; targets ``breached``, and steps
        by kind.
    """
    counts: Counter[str] = Counter()
    made = _climbing(session, _due_gates(session, now, severity, gates, limit), now)
    for each in made:
        _climb(session, each, now)
        counts += each.counts
    counts["gates"] = len(made)
    session.flush()
    append(session, [draft for each in made for draft in each.drafts], by, now)
    enqueue(session, [effect for each in made for effect in each.effects], by, now)
    return +counts


def orphans(session: Session, limit: int = BATCH) -> list[Gate]:
    """Open gates that no clock watches, oldest first."""
    watched = exists().where(
        col(Clock.gate_id) == col(Gate.id), col(Clock.kind) == ClockKind.DECISION.value
    )
    statement = select(Gate).where(col(Gate.status) == GateStatus.OPEN, ~watched)
    return list(session.scalars(statement.order_by(col(Gate.opened_at)).limit(limit)))


def mend_orphans(session: Session, by: Provenance, now: datetime, limit: int = BATCH) -> list[str]:
    """Give open gates without clocks those they should have had since they opened.

    Returns:
        The ids of the gates.
    """
    found = orphans(session, limit)
    drafts = []
    for gate in found:
        bundle = bundle_of_record(session, gate.policy_digest)
        opened = Opened(gate.id, gate.case_id, gate.queue, gate.severity)
        open_clocks(session, bundle, [opened], gate.opened_at)
        data = {"gate": gate.id, "since": timestamp(gate.opened_at)}
        drafts.append(Draft(gate.case_id, Action.CLOCK_MENDED, data, gate.revision))
    append(session, drafts, by, now)
    return [gate.id for gate in found]


def _due_gates(
    session: Session,
    now: datetime,
    severity: Severity | None,
    gates: Collection[str] | None,
    limit: int,
) -> list[str]:
    statement = select(col(Clock.gate_id)).where(col(Clock.next_at) <= now)
    if severity is not None:
        statement = statement.where(col(Clock.severity) == severity.value)
    if gates is not None:
        statement = statement.where(among(session, col(Clock.gate_id), gates))
    found = session.scalars(statement.order_by(col(Clock.next_at)).limit(limit))
    return list(dict.fromkeys(found))


def _climbing(session: Session, gate_ids: Sequence[str], now: datetime) -> list[_Climbing]:
    """Hold the cases, then the gates, and read what is still due on them."""
    if not gate_ids:
        return []
    of_gates = select(col(Gate.case_id)).where(among(session, col(Gate.id), gate_ids))
    case_ids = set(session.scalars(of_gates))
    cases = {each.id: each for each in session.scalars(_locked(session, Case, Case.id, case_ids))}
    gates = session.scalars(_locked(session, Gate, Gate.id, gate_ids)).all()
    assignments = {
        each.gate_id: each
        for each in session.scalars(_locked(session, Assignment, Assignment.gate_id, gate_ids))
    }
    clocks: defaultdict[str, list[Clock]] = defaultdict(list)
    due = _locked(session, Clock, Clock.gate_id, gate_ids).where(col(Clock.next_at) <= now)
    for clock in session.scalars(due):
        clocks[clock.gate_id].append(clock)
    bundles = {digest: bundle_of_record(session, digest) for digest in _policies(gates)}
    return [
        _Climbing(
            case=cases[gate.case_id],
            gate=gate,
            bundle=bundles[gate.policy_digest],
            assignment=assignments.get(gate.id),
            clocks=clocks[gate.id],
        )
        for gate in gates
        if gate.id in clocks
    ]


def _locked(session: Session, table: Any, column: Any, names: Collection[str]) -> Any:
    """Rows by name in a fixed order, as they are now and held until the transaction ends."""
    statement = select(table).where(among(session, col(column), names)).order_by(col(column))
    return statement.with_for_update().execution_options(populate_existing=True)


def _policies(gates: Sequence[Gate]) -> set[str]:
    return {gate.policy_digest for gate in gates}


def _climb(session: Session, each: _Climbing, now: datetime) -> None:
    """Take what is due on one gate, in the order in which it fell due."""
    if each.gate.status != GateStatus.OPEN:
        for clock in each.clocks:
            clock.next_at = None
        return
    due = sorted(_due(each, now), key=lambda found: found[0].moment)
    silent = unsaid([found for found, _ in due])
    for place, (found, clock) in enumerate(due):
        _take(session, each, found, clock, said=place not in silent, now=now)
    for clock in each.clocks:
        if clock.ended_at is None:
            _settle(session, each, clock, now)


def _due(each: _Climbing, now: datetime) -> Iterator[tuple[Due, Clock]]:
    for clock in each.clocks:
        promise = each.bundle.promises.of(clock.queue, clock.severity)
        kind, timed = ClockKind(clock.kind), clock_of(clock, promise)
        for found in due_steps(promise, kind, timed, clock.taken, now):
            yield found, clock


def _take(
    session: Session, each: _Climbing, due: Due, clock: Clock, *, said: bool, now: datetime
) -> None:
    gate, step = each.gate, due.step
    before = _rungs(each)
    after = climbed(before, step, each.bundle)
    holder = each.assignment and live_holder(each.assignment, now)
    data: dict[str, Any] = {"clock": clock.kind, "step": step.id, "due": timestamp(due.moment)}
    _move(session, each, before, after, now)
    clock.taken = [*clock.taken, step.id]
    each.counts[step.kind.value] += 1
    told = {
        StepKind.REASSIGN: {"from": before.queue, "to": after.queue},
        StepKind.RAISE: {"from": before.severity, "to": after.severity},
        StepKind.LOCK: {},
    }.get(step.kind, {"person": holder, "sent": said, "destination": step.to})
    _tell(each, ACTIONS[step.kind], {**data, **told})
    key = step_key(gate.id, due.kind, clock.started_at, step.id)
    about = {**data, "gate": gate.id, "queue": gate.queue, "severity": gate.severity}
    about |= {"person": holder, "due_at": clock.due_at and timestamp(clock.due_at)}
    effect = effect_of(key, gate.case_id, step, about)
    if effect is not None and said:
        each.effects.append(effect)


def _rungs(each: _Climbing) -> Rungs:
    locked = each.assignment is not None and each.assignment.locked_at is not None
    return Rungs(each.gate.queue, each.gate.severity, locked)


def _move(session: Session, each: _Climbing, before: Rungs, after: Rungs, now: datetime) -> None:
    """Put a gate and its case where a step has brought them; whoever had it has it no longer."""
    if after == before:
        return
    each.gate.queue = each.case.queue = after.queue
    each.gate.severity = each.case.severity = after.severity
    each.case.updated_at = now
    if after.locked and not before.locked:
        each.assignment = each.assignment or _unheld(each.gate)
        each.assignment.locked_at = now
        session.add(each.assignment)
    if after.queue != before.queue:
        let_go(session, each.gate.id)
        end_partner_clock(session, each.gate.id, now)


def _unheld(gate: Gate) -> Assignment:
    return Assignment(gate_id=gate.id, case_id=gate.case_id)


def _settle(session: Session, each: _Climbing, clock: Clock, now: datetime) -> None:
    if clock.state != ClockState.BREACHED and is_breached(clock.due_at, now):
        clock.state = ClockState.BREACHED.value
        each.counts["breached"] += 1
        data = {"clock": clock.kind, "due": clock.due_at and timestamp(clock.due_at)}
        _tell(each, Action.CLOCK_BREACHED, data)
    promise = each.bundle.promises.of(clock.queue, clock.severity)
    settle_clock(session, clock, now, promise)


def _tell(each: _Climbing, action: Action, data: dict[str, Any]) -> None:
    gate = each.gate
    each.drafts.append(
        Draft(
            chain=gate.case_id,
            action=action,
            data={"gate": gate.id, **data},
            revision=gate.revision,
            policy_digest=gate.policy_digest,
        )
    )
