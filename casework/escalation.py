"""Climbing a ladder: which steps of a clock are due, and what they do to a gate.

Pure; the store carries it out. A ladder fails closed: it may move a gate, shout and lock, and no
step of it answers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from casework.cases import Severity
from casework.clocks.ladders import SENDS, Step, StepKind
from casework.clocks.model import Clock, ClockKind, due_at, reached_at
from casework.clocks.promises import Promise
from casework.effects import Effect
from casework.ledger.entries import Action, timestamp
from casework.policy.model import Bundle

#: A clock is breached from the first instant after the one at which it is due.
_TOO_LATE: Final = timedelta(microseconds=1)

#: A time as the ledger writes it; cases come in batches, and so do their times.
written: Final = lru_cache(maxsize=4096)(timestamp)

#: The ledger's word for each kind of step.
ACTIONS: Final = {
    StepKind.REMIND: Action.GATE_REMINDED,
    StepKind.PAGE: Action.GATE_PAGED,
    StepKind.REASSIGN: Action.GATE_REASSIGNED,
    StepKind.RAISE: Action.GATE_RAISED,
    StepKind.LOCK: Action.GATE_LOCKED,
}


class Due(NamedTuple):
    """A step whose moment has come, and when that was."""

    moment: datetime
    kind: ClockKind
    step: Step


@dataclass(frozen=True, slots=True)
class Rungs:
    """What a ladder may change about a gate: where it waits, how severe it is, who may answer."""

    queue: str
    severity: str
    locked: bool = False


def steps_ahead(
    promise: Promise, kind: ClockKind, clock: Clock, taken: Collection[str]
) -> list[Due]:
    """The steps of a clock that have not been taken, each with its moment, past or to come.

    A step that a lasting stop keeps off has no moment and is not among them.
    """
    found = []
    for step in promise.ladder.of(kind):
        if step.id in taken:
            continue
        moment = reached_at(clock, step.amount(clock.target))
        if moment is not None:
            found.append(Due(moment, kind, step))
    return found


def due_steps(
    promise: Promise, kind: ClockKind, clock: Clock, taken: Collection[str], now: datetime
) -> list[Due]:
    """The steps of a clock that have not been taken and whose moment has come, in its order."""
    ahead = steps_ahead(promise, kind, clock, taken)
    return sorted((due for due in ahead if due.moment <= now), key=lambda due: due.moment)


def next_moment(
    promise: Promise, kind: ClockKind, clock: Clock, taken: Collection[str], *, breached: bool
) -> datetime | None:
    """When the sweep must look at a clock again: for its next step, or to note its breach.

    None where nothing will happen, unless somebody restarts it.
    """
    moments = [due.moment for due in steps_ahead(promise, kind, clock, taken)]
    miss = None if breached else too_late_at(due_at(clock))
    return min(moments if miss is None else [*moments, miss], default=None)


def too_late_at(due: datetime | None) -> datetime | None:
    """The first instant at which an answer comes too late."""
    return None if due is None else due + _TOO_LATE


def is_breached(due: datetime | None, now: datetime) -> bool:
    """Whether an answer at ``now`` would come too late."""
    return due is not None and now > due


def climbed(rungs: Rungs, step: Step, bundle: Bundle) -> Rungs:
    """The gate after a step; the same where there is nothing to change."""
    match step.kind:
        case StepKind.REASSIGN:
            return replace(rungs, queue=_target(rungs.queue, step, bundle))
        case StepKind.RAISE:
            return replace(rungs, severity=_raised(rungs.severity, step.to))
        case StepKind.LOCK:
            return replace(rungs, locked=True)
        case _:
            return rungs


def is_idle(step: Step, before: Rungs, after: Rungs) -> bool:
    """Whether a step neither tells anybody nor changes anything: P0 cannot be raised."""
    return step.kind not in SENDS and before == after


def unsaid(due: Sequence[Due]) -> set[int]:
    """The places of steps that need not be sent, for a later one says the same by the same way.

    After a missed hour nobody is told the same thing twice in one breath; each step is in the
    history all the same.
    """
    last = {(each.step.kind, each.step.to): place for place, each in enumerate(due)}
    return {
        place
        for place, each in enumerate(due)
        if each.step.kind in SENDS and last[each.step.kind, each.step.to] != place
    }


def step_key(gate: str, kind: ClockKind, started_at: datetime, step: str) -> str:
    """What makes a step of one clock one step, however often it is taken."""
    return f"{gate}:{kind}:{written(started_at)}:{step}"


def effect_of(key: str, case_id: str, step: Step, data: dict[str, Any]) -> Effect:
    """What a step of a kind that sends something sends."""
    kind = SENDS[step.kind]
    return Effect(key=key, kind=kind, destination=str(step.to), case_id=case_id, data=data)


def offered(rungs: Rungs, proposed: str | None, evidence: str, bundle: Bundle) -> dict[str, str]:
    """What a message about a gate may offer to be answered with a press: ``action``, ``evidence``.

    Nothing where the proposal is not the queue's to take, needs a second person, or a lead must
    answer: there somebody is to look at the case itself.
    """
    if proposed is None or proposed not in bundle.queues[rungs.queue].actions:
        return {}
    if rungs.locked or bundle.approvals(rungs.queue, proposed) > 1:
        return {}
    return {"action": proposed, "evidence": evidence}


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of a simulation: when a step would happen, and how the gate stands after it."""

    moment: datetime
    clock: ClockKind
    step: str
    kind: str
    to: str | None
    queue: str
    severity: str
    locked: bool


def simulate(bundle: Bundle, queue: str, severity: str, opened_at: datetime) -> list[Rung]:
    """Every step of a gate that opens in a queue and that nobody ever touches, in order.

    What would change nothing where the gate has come to is left out, as it is from the history.
    """
    promise, rungs = bundle.promises.of(queue, severity), Rungs(queue, severity)
    due = sorted(
        (
            each
            for kind in bundle.promises.kinds(queue, severity)
            for each in _whole(promise, kind, opened_at)
        ),
        key=lambda each: each.moment,
    )
    told = []
    for moment, kind, step in due:
        before, rungs = rungs, climbed(rungs, step, bundle)
        if is_idle(step, before, rungs):
            continue
        to = rungs.queue if step.kind is StepKind.REASSIGN else step.to
        told.append(
            Rung(moment, kind, step.id, step.kind, to, rungs.queue, rungs.severity, rungs.locked)
        )
    return told


def _whole(promise: Promise, kind: ClockKind, opened_at: datetime) -> list[Due]:
    clock = Clock(promise.calendar, promise.targets[kind], opened_at)
    return steps_ahead(promise, kind, clock, ())


def _target(queue: str, step: Step, bundle: Bundle) -> str:
    """Where a step moves a gate; nowhere if it is there, or if fewer people would do there.

    The bundle's lint refuses the latter from the queue a ladder begins in; people may have moved
    the gate since.
    """
    here = bundle.queues[queue]
    to = step.to or here.escalation_target
    if to is None or bundle.queues[to].approvals < here.approvals:
        return queue
    return to


def _raised(severity: str, to: str | None) -> str:
    """The severity after a step: never a lesser one. As text, the more severe comes first."""
    levels = list(Severity)
    up = levels[max(0, levels.index(Severity(severity)) - 1)]
    return min(severity, to or up.value)
