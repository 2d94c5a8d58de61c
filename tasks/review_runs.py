"""Keeping gates and their runs together: runs are made, woken, made again, and let go."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from prefect import get_client, task
from prefect.cache_policies import NO_CACHE

from casework.errors import EngineError
from casework.gates import GateStatus
from casework.ledger.entries import timestamp
from casework.ports import ReviewRuns, RunRequest, RunView
from casework.review_runs import Step, next_step
from casework.store.engine import reading, transaction
from casework.store.gates import assign_run, gate_by_id, gates_without_run, settle, unsettled_gates
from casework.store.tables import Gate
from integrations.prefect_runs import PrefectReviewRuns
from tasks.case_review import takes_form
from tasks.context import Context, surroundings

log = logging.getLogger(__name__)

#: Seconds that a batch flow spends on making runs; a minute later the reconciler makes the rest.
PATIENCE: Final = 15.0

#: Gates looked at in one go.
_PAGE: Final = 200


@task(cache_policy=NO_CACHE, persist_result=False, retries=3, retry_delay_seconds=[2, 10, 30])
async def make_missing_runs(patience: float = PATIENCE) -> dict[str, int]:
    """Make a run for every gate that has none, the most severe first, for so many seconds.

    Returns:
        ``made``, ``failed``, and ``left``: gates whose run the reconciler makes.
    """
    here = surroundings("review_runs")
    counts: Counter[str] = Counter(made=0, failed=0)
    until = time.monotonic() + patience
    with reading(here.engine) as session:
        gates = gates_without_run(session)
    async with get_client() as client:
        runs = PrefectReviewRuns(client)
        for gate in gates:
            if counts["failed"] or time.monotonic() > until:
                break
            taken = await _take(here, runs, gate, Step.MAKE_SUSPENDED)
            counts["failed" if taken == "failed" else "made"] += 1
    return {**counts, "left": len(gates) - counts["made"]}


@task(cache_policy=NO_CACHE, persist_result=False, retries=3, retry_delay_seconds=[2, 10, 30])
async def bring_together() -> dict[str, int]:
    """Compare every gate that is not settled with its run, and mend what has come apart.

    Returns:
        How often each step of ``casework.review_runs.Step`` was taken, and ``failed``.
    """
    here = surroundings("review_runs")
    counts: Counter[str] = Counter()
    after = ""
    async with get_client() as client:
        runs = PrefectReviewRuns(client)
        while True:
            with reading(here.engine) as session:
                gates = unsettled_gates(session, _PAGE, after)
            if not gates:
                break
            after = gates[-1].id
            counts += await _each(here, runs, await _plan(runs, gates))
    return dict(counts)


async def follow(gate_ids: Sequence[str]) -> dict[str, int]:
    """Bring some gates and their runs together at once, without waiting for the next round.

    Returns:
        How often each step was taken, and ``failed``.
    """
    here = surroundings("review_runs")
    with reading(here.engine) as session:
        gates = [gate_by_id(session, gate_id) for gate_id in gate_ids]
    async with get_client() as client:
        runs = PrefectReviewRuns(client)
        return dict(await _each(here, runs, await _plan(runs, gates)))


async def _plan(runs: ReviewRuns, gates: list[Gate]) -> list[tuple[Gate, Step]]:
    known = await runs.look(list({gate.flow_run_id for gate in gates if gate.flow_run_id}))
    now = datetime.now(UTC)

    def view(gate: Gate) -> RunView | None:
        return known.get(gate.flow_run_id) if gate.flow_run_id else None

    return [(gate, next_step(GateStatus(gate.status), view(gate), now)) for gate in gates]


async def _each(here: Context, runs: ReviewRuns, plan: list[tuple[Gate, Step]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    done_with = [gate.id for gate, step in plan if step is Step.SETTLE]
    with transaction(here.engine) as session:
        settle(session, done_with, here.now)
    counts["settle"] += len(done_with)
    asleep = [gate.flow_run_id for gate, step in plan if step is Step.WAKE and gate.flow_run_id]
    counts += await _wake(runs, asleep)
    # One after another: a Prefect server on SQLite answers 503 to writers that come together, and
    # its client then waits for seconds; on PostgreSQL this is about as fast.
    for gate, step in plan:
        if step not in (Step.SETTLE, Step.WAKE):
            counts[await _take(here, runs, gate, step)] += 1
    return +counts


async def _wake(runs: ReviewRuns, run_ids: Sequence[str]) -> Counter[str]:
    """Wake runs; an engine that refuses is counted, and tried again later."""
    try:
        return Counter({str(Step.WAKE): await runs.wake(run_ids)})
    except EngineError as error:
        log.warning("%s runs are not woken: %s", len(run_ids), error)
        return Counter(failed=len(run_ids))


async def _take(here: Context, runs: ReviewRuns, gate: Gate, step: Step) -> str:
    """Take one step for one gate; an engine that refuses is counted, and tried again later."""
    try:
        match step:
            case Step.MAKE_SUSPENDED | Step.MAKE_READY:
                await _make(here, runs, gate, step)
            case _:
                pass
    except EngineError as error:
        log.warning("Gate %s: %s failed: %s", gate.id, step, error)
        return "failed"
    return str(step)


async def _make(here: Context, runs: ReviewRuns, gate: Gate, step: Step) -> None:
    ready = step is Step.MAKE_READY or gate.status == GateStatus.DECIDED
    run_id = await runs.make(
        RunRequest(
            case_id=gate.case_id,
            gate_id=gate.id,
            # One run in the place of each earlier one, however often this is tried.
            key=f"{gate.id}:{timestamp(gate.opened_at)}:{gate.flow_run_id or 'first'}",
            attempt=gate.attempt,
            suspended=not ready,
            tags=(f"queue:{gate.queue}", f"severity:{gate.severity}"),
            takes_form=takes_form(here.settings, here.engine, gate.id),
        )
    )
    with transaction(here.engine) as session:
        assign_run(session, gate.id, run_id, here.by, here.now)
