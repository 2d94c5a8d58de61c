"""Which gate needs what done about its run. Pure; the reconciler carries it out.

A gate and its run can come apart in many ways: the run was cancelled, deleted, failed, pushed into
another state by hand, or its worker was killed. The store is right; the run is made to follow.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from casework.gates import GateStatus
from casework.ports import RunState, RunView

#: How long a run may look alive without its gate moving before it is taken for dead.
STALE_AFTER: Final = timedelta(minutes=2)


def pause_key(gate_id: str, attempt: int) -> str:
    """The key a run waits under; used once, or Prefect would give the earlier answer again."""
    return f"{gate_id}-{attempt}"


class Step(StrEnum):
    """What to do about a gate's run."""

    LEAVE = "leave"
    MAKE_SUSPENDED = "make_suspended"  # a new run, waiting
    MAKE_READY = "make_ready"  # a new run that starts at once
    WAKE = "wake"
    SETTLE = "settle"  # the gate is done with and so is its run


def next_step(status: GateStatus, run: RunView | None, now: datetime) -> Step:
    """Choose the step that brings a gate and its run together again.

    ``run`` is None where the gate has no run or Prefect no longer knows it.
    """
    state = run.state if run else RunState.MISSING
    stale = run is not None and now - run.since > STALE_AFTER
    match status:
        case GateStatus.OPEN:
            return _for_open(state, stale)
        case GateStatus.DECIDED:
            return _for_decided(state, stale)
        case _:
            return _for_done(state)


def _for_open(state: RunState, stale: bool) -> Step:
    if state in (RunState.MISSING, RunState.ENDED):
        return Step.MAKE_SUSPENDED
    # Somebody woke it without a decision: its worker suspends it again, if one lives.
    if state is RunState.ACTIVE and stale:
        return Step.MAKE_SUSPENDED
    return Step.LEAVE


def _for_decided(state: RunState, stale: bool) -> Step:
    if state is RunState.SUSPENDED:
        return Step.WAKE
    if state in (RunState.MISSING, RunState.ENDED) or (state is RunState.ACTIVE and stale):
        return Step.MAKE_READY
    return Step.LEAVE


def _for_done(state: RunState) -> Step:
    if state is RunState.SUSPENDED:
        return Step.WAKE
    return Step.SETTLE if state in (RunState.MISSING, RunState.ENDED) else Step.LEAVE
