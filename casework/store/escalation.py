"""The escalation sweep: the steps that are due are taken, each once.

A step, its entry and what it sends are written in one transaction, under the lock of its case. Two
sweeps at once do not take a step twice: the second finds it taken.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from casework.cases import Severity
from casework.clocks.ladders import SENDS, Step, StepKind
from casework.clocks.model import ClockKind
from casework.escalation import (
    ACTIONS,
    Due,
    Rungs,
    climbed,
    effect_of,
    is_breached,
    is_idle,
    offered,
    step_key,
    unsaid,
    written,
)
from casework.gates import GateStatus
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.climbing import Climbing, Timed, climbing_of, write_climbed
from casework.store.clocks import end_partner_clock
from casework.store.gates import let_go, live_holder
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.outbox import enqueue
from casework.store.tables import Assignment, Clock

#: Gates looked at in one transaction.
BATCH: Final = 1000


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
    made = climbing_of(session, _due_gates(session, now, severity, gates, limit), now)
    for each in made:
        _climb(session, each, now)
        counts += each.counts
    counts["gates"] = len(made)
    write_climbed(session, made, now)
    append(session, [draft for each in made for draft in each.drafts], by, now)
    enqueue(session, [effect for each in made for effect in each.effects], by, now)
    return +counts


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


def _climb(session: Session, each: Climbing, now: datetime) -> None:
    """Take what is due on one gate, in the order in which it fell due."""
    if each.gate.status != GateStatus.OPEN:
        for timed in each.clocks:
            timed.over = True
        return
    due = [(found, timed) for timed in each.clocks for found in timed.due]
    due.sort(key=lambda pair: pair[0].moment)
    silent = unsaid([found for found, _ in due])
    for place, (found, timed) in enumerate(due):
        _take(session, each, found, timed, said=place not in silent, now=now)
    for timed in each.clocks:
        _note_miss(each, timed, now)


def _take(
    session: Session, each: Climbing, due: Due, timed: Timed, *, said: bool, now: datetime
) -> None:
    before, step, clock = each.rungs, due.step, timed.row
    holder = each.assignment and live_holder(each.assignment, now)
    _move(session, each, climbed(before, step, each.bundle), now)
    timed.taken.append(step.id)
    if is_idle(step, before, each.rungs):
        return
    each.counts[step.kind.value] += 1
    data: dict[str, Any] = {"clock": clock.kind, "step": step.id, "due": written(due.moment)}
    sends = {"person": holder, "sent": said, "destination": step.to}
    _tell(each, ACTIONS[step.kind], data | _changed(before, each.rungs, step, sends))
    if said and step.kind in SENDS:
        key = step_key(each.gate.id, due.kind, timed.started_at, step.id)
        about = {**data, "person": holder, "due_at": clock.due_at and written(clock.due_at)}
        each.effects.append(effect_of(key, each.gate.case_id, step, about | _about(each)))


def _about(each: Climbing) -> dict[str, Any]:
    gate, rungs = each.gate, each.rungs
    about = {"gate": gate.id, "queue": rungs.queue, "severity": rungs.severity}
    return about | offered(rungs, gate.proposed_action, gate.evidence_digest, each.bundle)


def _changed(before: Rungs, after: Rungs, step: Step, sends: dict[str, Any]) -> dict[str, Any]:
    match step.kind:
        case StepKind.REASSIGN:
            return {"from": before.queue, "to": after.queue}
        case StepKind.RAISE:
            return {"from": before.severity, "to": after.severity}
        case StepKind.LOCK:
            return {}
        case _:
            return sends


def _move(session: Session, each: Climbing, after: Rungs, now: datetime) -> None:
    """Put a gate where a step has brought it; whoever had it in another queue has it no longer."""
    before, each.rungs = each.rungs, after
    each.moved |= after != before
    gate = each.gate
    if after.locked and not before.locked:
        kept = each.assignment or Assignment(gate_id=gate.id, case_id=gate.case_id)
        kept.locked_at, each.assignment = now, kept
        session.add(kept)
    if after.queue == before.queue:
        return
    if each.assignment is not None:
        let_go(session, gate.id)
    if before.queue in each.bundle.promises.partners:
        end_partner_clock(session, gate.id, now)
        for timed in each.clocks:
            timed.over |= timed.row.kind == ClockKind.PARTNER_ANSWER


def _note_miss(each: Climbing, timed: Timed, now: datetime) -> None:
    due = timed.row.due_at
    if timed.breached or timed.over or not is_breached(due, now):
        return
    timed.breached = True
    each.counts["breached"] += 1
    _tell(each, Action.CLOCK_BREACHED, {"clock": timed.row.kind, "due": written(due)})


def _tell(each: Climbing, action: Action, data: dict[str, Any]) -> None:
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
