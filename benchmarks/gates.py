"""Gates on PostgreSQL: open, decide, finish; beside the same flow on Prefect's process worker.

Needs a PostgreSQL server that has the extension pg_trgm, which Prefect wants:
``CASEWORK_BENCH_POSTGRES_URL`` names it, with a user who may create databases. Both workers finish
the same flow on the same Prefect server, one after the other, in the same run. The process worker
runs as it comes, but for its poll, which is made as quick as ours, and for how many processes it
runs at once: left alone it starts one for each run that is due, and they get into each other's way.
It is tried with several numbers, and the best counts.

For both the clock runs from the moment the first run is woken to the end of the last: starting a
process is part of what a run costs on the process worker, so it belongs in the account. Both have
finished some cases before, so that their code is in the machine's caches.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import func, select
from sqlmodel import col

from benchmarks.processor import processor_seconds
from benchmarks.servers import surroundings, worker
from benchmarks.table import row
from benchmarks.waiting import BY, PERSON, introduce, now, waiting
from casework.answering import answer_gate
from casework.gates import GateStatus
from casework.settings import load_settings
from casework.store.engine import open_engine, reading
from casework.store.gates import gate_by_id, waiting_gates
from casework.store.schema import upgrade
from casework.store.tables import Gate

POSTGRES: Final = os.environ.get(
    "CASEWORK_BENCH_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres"
)
MANY: Final = 200  # gates finished by our worker
FEW: Final = 4  # gates finished by the process worker, at each number of processes
WARMING: Final = 1  # gates that it finishes before
AT_ONCE: Final = (1, 2)
PACED: Final = 20  # gates decided one a second, for the latency
LISTED: Final = 10_000
PEER_POOL: Final = "bench-process"


def run() -> list[dict[str, Any]]:
    """Measure everything; rows of figure, value, unit, limit and peer."""
    try:
        with psycopg.connect(POSTGRES, connect_timeout=3) as connection:
            wanted = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
            able = connection.execute(wanted).fetchone()
    except psycopg.Error as error:
        return [row("gates: not measured", "no PostgreSQL", type(error).__name__)]
    if able is None:
        return [row("gates: not measured", "PostgreSQL without pg_trgm", "")]
    with tempfile.TemporaryDirectory() as folder, surroundings(POSTGRES, Path(folder)):
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[dict[str, Any]]:
    from tasks.review_runs import make_missing_runs

    engine = open_engine(load_settings().store_url)
    upgrade(engine)
    introduce(engine)
    theirs = WARMING + FEW * len(AT_ONCE)
    gates = await waiting(engine, folder, MANY + PACED + theirs, "runs")
    began = time.perf_counter()
    made = (await make_missing_runs.fn(patience=300.0))["made"]
    rows = [row("gates: runs made suspended", _rate(made, began), "runs/s")]
    many, paced, few = gates[:MANY], gates[MANY : MANY + PACED], gates[MANY + PACED :]
    with worker("casework", "casework-review"):
        rows += await _paced(engine, paced)
        began = time.perf_counter()
        _decide(engine, many)
        rows.append(row("gates: decisions taken", _rate(len(many), began), "decisions/s"))
        ours = await _finished(engine, many)
    await _move_to_peer(engine, few)
    return rows + _compared(ours, await _peer(engine, few)) + await _listing(engine, folder)


async def _peer(engine: Any, gates: Sequence[str]) -> "dict[int, Finished]":
    """What the process worker makes of as many gates at each number of processes."""
    _decide(engine, gates)
    with worker("process", PEER_POOL, 1):
        await _finished(engine, gates[:WARMING])
    found = {}
    for number, at_once in enumerate(AT_ONCE):
        begin = WARMING + number * FEW
        with worker("process", PEER_POOL, at_once):
            found[at_once] = await _finished(engine, gates[begin : begin + FEW])
    return found


def _compared(ours: "Finished", peer: "dict[int, Finished]") -> list[dict[str, Any]]:
    name = "Prefect's process worker"
    spent = "gates: processor time for a case, server and worker"
    theirs = max(peer.values(), key=lambda each: each.rate)
    return [
        row("gates: cases finished", round(ours.rate, 2), "cases/s"),
        *(
            row(f"gates: cases finished by the peer, {n} at once", round(each.rate, 2), "cases/s")
            for n, each in peer.items()
        ),
        row("gates: ratio to the peer", round(ours.rate / theirs.rate, 1), "x", ">= 15", name),
        row(spent, round(ours.spent, 2), "s"),
        row(f"{spent}, the peer's best", round(theirs.spent, 2), "s", "", name),
    ]


async def _paced(engine: Any, gates: Sequence[str]) -> list[dict[str, Any]]:
    """Decide one gate a second; the time from the decision to the run's end, by the server."""
    for gate in gates:
        _decide(engine, [gate])
        await _wake(engine, [gate])
        await asyncio.sleep(1.0)
    ends = await _ends(engine, gates)
    waits = []
    with reading(engine) as session:
        for gate, end in ends.items():
            decided = gate_by_id(session, gate).decided_at
            assert decided is not None
            waits.append((end - decided).total_seconds())
    return [
        row("gates: decision to finished, p50", round(statistics.median(waits), 2), "s", "< 2"),
        row("gates: decision to finished, max", round(max(waits), 2), "s"),
    ]


@dataclass(frozen=True)
class Finished:
    """What a worker did with a number of runs."""

    rate: float  # cases a second
    spent: float  # seconds of processor time for each case


async def _finished(engine: Any, gates: Sequence[str]) -> Finished:
    """Wake all runs and wait for the end of the last."""
    spent, began = processor_seconds(), now()
    await _wake(engine, gates)
    ends = await _ends(engine, gates)
    spent = processor_seconds() - spent
    seconds = (max(ends.values()) - began).total_seconds()
    return Finished(len(gates) / seconds, spent / len(gates))


def _decide(engine: Any, gates: Sequence[str]) -> None:
    for gate in gates:
        with reading(engine) as session:
            found = gate_by_id(session, gate)
        payload = {
            "verdict": "approve",
            "action": found.proposed_action,
            "rationale": "measured",
            "evidence_digest": found.evidence_digest,
        }
        answer_gate(engine, gate, PERSON, payload, now=now())


async def _wake(engine: Any, gates: Sequence[str]) -> None:
    from prefect import get_client

    from integrations.prefect_runs import PrefectReviewRuns

    async with get_client() as client:
        runs = PrefectReviewRuns(client)
        # The reconciler may have been faster: what counts is that the runs go on.
        await runs.wake(list(_runs(engine, gates).values()))


def _rate(count: int, began: float) -> float:
    return round(count / (time.perf_counter() - began), 1)


async def _ends(engine: Any, gates: Sequence[str]) -> dict[str, Any]:
    """When the server saw each run end; waits for all of them."""
    deadline = time.monotonic() + 600
    # The store is asked first: reading two hundred runs every second would keep the server busy.
    while _unsettled(engine, gates) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    while time.monotonic() < deadline:
        found = await _look(engine, gates)
        if all(run.state and run.state.is_final() for run in found.values()):
            assert all(run.state.is_completed() for run in found.values())
            return {gate: run.state.timestamp for gate, run in found.items()}
        await asyncio.sleep(0.5)
    raise SystemExit("the runs did not finish")


def _unsettled(engine: Any, gates: Sequence[str]) -> bool:
    """Whether any of these gates has yet to be carried out."""
    open_still = select(func.count()).where(
        col(Gate.id).in_(gates), col(Gate.status) != GateStatus.CARRIED_OUT
    )
    with reading(engine) as session:
        return bool(session.scalar(open_still))


async def _look(engine: Any, gates: Sequence[str]) -> dict[str, Any]:
    from prefect import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    runs = _runs(engine, gates)
    async with get_client() as client:
        wanted = [UUID(run) for run in runs.values()]
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=wanted))
        found = await client.read_flow_runs(flow_run_filter=chosen, limit=200)
    by_id = {str(run.id): run for run in found}
    return {gate: by_id[run] for gate, run in runs.items()}


def _runs(engine: Any, gates: Sequence[str]) -> dict[str, str]:
    with reading(engine) as session:
        return {gate: str(gate_by_id(session, gate).flow_run_id) for gate in gates}


async def _move_to_peer(engine: Any, gates: Sequence[str]) -> None:
    """Give these gates runs of a deployment of the same flow on a process pool."""
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.deployments.runner import RunnerDeployment
    from prefect.states import Suspended
    from prefect.workers.process import ProcessWorker

    from casework.store.engine import transaction
    from casework.store.gates import assign_run

    template = ProcessWorker.get_default_base_job_template()
    async with get_client() as client:
        pool = WorkPoolCreate(name=PEER_POOL, type="process", base_job_template=template)
        await client.create_work_pool(pool)
        deployment = RunnerDeployment.from_entrypoint(
            "flows.case_review.case_review", name="peer", work_pool_name=PEER_POOL
        )
        deployment_id = await deployment.aapply()
        for gate in gates:
            with reading(engine) as session:
                case_id = gate_by_id(session, gate).case_id
            made = await client.create_flow_run_from_deployment(
                deployment_id,
                parameters={"case_id": case_id, "gate_id": gate},
                state=Suspended(pause_key=f"{gate}-peer"),
            )
            with transaction(engine) as session:
                assign_run(session, gate, str(made.id), BY, now())


async def _listing(engine: Any, folder: Path) -> list[dict[str, Any]]:
    await waiting(engine, folder, LISTED, "listed")
    times = []
    for limit in (50, LISTED):
        took = []
        for _ in range(5):
            began = time.perf_counter()
            with reading(engine) as session:
                assert len(waiting_gates(session, limit=limit)) == limit
            took.append(time.perf_counter() - began)
        times.append(round(statistics.median(took) * 1000, 1))
    return [
        row(f"gates: list 50 of {LISTED:,} that wait", times[0], "ms", "< 100"),
        row(f"gates: list all {LISTED:,} that wait", times[1], "ms", "< 100"),
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(), indent=2) + "\n")
