"""What the reconciler does about a gate and its run."""

from datetime import UTC, datetime, timedelta

import pytest

from casework.gates import GateStatus
from casework.ports import RunState, RunView
from casework.review_runs import STALE_AFTER, Step, next_step

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def view(state: RunState, age: timedelta = timedelta(0)) -> RunView:
    return RunView(state, NOW - age)


@pytest.mark.parametrize(
    ("status", "run", "step"),
    [
        (GateStatus.OPEN, None, Step.MAKE_SUSPENDED),
        (GateStatus.OPEN, view(RunState.ENDED), Step.MAKE_SUSPENDED),
        (GateStatus.OPEN, view(RunState.SUSPENDED), Step.LEAVE),
        (GateStatus.OPEN, view(RunState.SCHEDULED), Step.LEAVE),
        (GateStatus.OPEN, view(RunState.ACTIVE), Step.LEAVE),
        (GateStatus.OPEN, view(RunState.ACTIVE, STALE_AFTER * 2), Step.MAKE_SUSPENDED),
        (GateStatus.DECIDED, None, Step.MAKE_READY),
        (GateStatus.DECIDED, view(RunState.ENDED), Step.MAKE_READY),
        (GateStatus.DECIDED, view(RunState.SUSPENDED), Step.WAKE),
        (GateStatus.DECIDED, view(RunState.SCHEDULED), Step.LEAVE),
        (GateStatus.DECIDED, view(RunState.ACTIVE), Step.LEAVE),
        (GateStatus.DECIDED, view(RunState.ACTIVE, STALE_AFTER * 2), Step.MAKE_READY),
        (GateStatus.CARRIED_OUT, None, Step.SETTLE),
        (GateStatus.CARRIED_OUT, view(RunState.ENDED), Step.SETTLE),
        (GateStatus.CARRIED_OUT, view(RunState.SUSPENDED), Step.WAKE),
        (GateStatus.CARRIED_OUT, view(RunState.ACTIVE), Step.LEAVE),
        (GateStatus.SUPERSEDED, None, Step.SETTLE),
        (GateStatus.SUPERSEDED, view(RunState.SUSPENDED), Step.WAKE),
    ],
)
def test_each_standing_of_gate_and_run_has_its_step(
    status: GateStatus, run: RunView | None, step: Step
) -> None:
    assert next_step(status, run, NOW) is step


@pytest.mark.parametrize("status", list(GateStatus))
@pytest.mark.parametrize("state", list(RunState))
def test_a_clock_that_went_back_replaces_no_run(status: GateStatus, state: RunState) -> None:
    later = RunView(state, NOW + timedelta(days=1))
    assert next_step(status, later, NOW) is next_step(status, view(state), NOW)
