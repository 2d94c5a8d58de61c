"""Gates on PostgreSQL: open, decide, finish; beside the same flow on Prefect's process worker.

Needs a PostgreSQL server that has the extension pg_trgm, which Prefect wants:
``CASEWORK_BENCH_POSTGRES_URL`` names it, with a user who may create databases. Both workers finish
the same flow on the same Prefect server, one after the other, in the same run. The process worker
runs as it comes, but for its poll, which is made as quick as ours.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from benchmarks.table import row
from benchmarks.waiting import PERSON, introduce, now, waiting
from casework.answering import answer_gate
from casework.settings import load_settings
from casework.store.engine import open_engine, reading
from casework.store.gates import gate_by_id, waiting_gates
from casework.store.schema import upgrade

POSTGRES: Final = os.environ.get(
    "CASEWORK_BENCH_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres"
)
MANY: Final = 200  # gates finished by our worker
FEW: Final = 16  # gates finished by the process worker
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
    with tempfile.TemporaryDirectory() as folder, _surroundings(Path(folder)):
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[dict[str, Any]]:
    from tasks.review_runs import make_missing_runs

    engine = open_engine(load_settings().store_url)
    upgrade(engine)
    introduce(engine)
    gates = await waiting(engine, folder, MANY + PACED + FEW, "runs")
    began = time.perf_counter()
    made = (await make_missing_runs.fn(patience=300.0))["made"]
    rows = [row("gates: runs made suspended", _rate(made, began), "runs/s")]
    many, paced, few = gates[:MANY], gates[MANY : MANY + PACED], gates[MANY + PACED :]
    with _worker("casework", "casework-review"):
        rows += await _paced(engine, paced)
        began = time.perf_counter()
        _decide(engine, many)
        rows.append(row("gates: decisions taken", _rate(len(many), began), "decisions/s"))
        ours = await _finished(engine, many)
    rows.append(row("gates: cases finished", round(ours, 2), "cases/s"))
    await _move_to_peer(engine, few)
    with _worker("process", PEER_POOL):
        _decide(engine, few)
        theirs = await _finished(engine, few)
    name = "Prefect's process worker"
    rows.append(row("gates: cases finished by the peer", round(theirs, 2), "cases/s", "", name))
    rows.append(row("gates: ratio to the peer", round(ours / theirs, 1), "x", ">= 15", name))
    return rows + await _listing(engine, folder)


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


async def _finished(engine: Any, gates: Sequence[str]) -> float:
    """Wake all runs, wait for their end; runs finished per second from the first start."""
    await _wake(engine, gates)
    ends = await _ends(engine, gates)
    starts = await _starts(engine, gates)
    seconds: float = (max(ends.values()) - min(starts)).total_seconds()
    return len(gates) / seconds


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
        for run_id in _runs(engine, gates).values():
            assert await runs.wake(run_id)


def _rate(count: int, began: float) -> float:
    return round(count / (time.perf_counter() - began), 1)


async def _ends(engine: Any, gates: Sequence[str]) -> dict[str, Any]:
    """When the server saw each run end; waits for all of them."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        found = await _look(engine, gates)
        if all(run.state and run.state.is_final() for run in found.values()):
            assert all(run.state.is_completed() for run in found.values())
            return {gate: run.state.timestamp for gate, run in found.items()}
        await asyncio.sleep(1.0)
    raise SystemExit("the runs did not finish")


async def _starts(engine: Any, gates: Sequence[str]) -> list[Any]:
    return [run.start_time for run in (await _look(engine, gates)).values()]


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
                from benchmarks.waiting import BY

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


@contextmanager
def _surroundings(folder: Path) -> Iterator[None]:
    """Databases of our own for the store and for Prefect, and a server on them."""
    with ExitStack() as stack:
        store = stack.enter_context(_database("casework_bench_store"))
        prefect = stack.enter_context(_database("casework_bench_prefect", "pg_trgm"))
        os.environ["CASEWORK_HOME"] = str(folder)
        os.environ["CASEWORK_DATABASE_URL"] = store
        asynchronous = make_url(prefect).set(drivername="postgresql+asyncpg")
        os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = asynchronous.render_as_string(False)
        from deployments.stack import prepare_environment, server

        prepare_environment(load_settings())
        stack.enter_context(server(load_settings()))
        yield
        open_engine(load_settings().store_url).dispose()


@contextmanager
def _database(name: str, extension: str = "") -> Iterator[str]:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    url = make_url(POSTGRES).set(database=name)
    if extension:
        plain = url.render_as_string(False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f"CREATE EXTENSION {extension}")
    try:
        yield url.render_as_string(False)
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def _worker(kind: str, pool: str) -> Iterator[None]:
    """A worker in a process of its own, once it polls."""
    from deployments.stack import child_process

    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", kind, "--pool", pool]
    os.environ["PREFECT_WORKER_QUERY_SECONDS"] = "1"
    log = load_settings().home / "logs" / f"{kind}.log"
    with child_process(load_settings(), kind, command) as child:
        deadline = time.monotonic() + 60
        while b"started!" not in log.read_bytes():
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(log.read_text())
            time.sleep(0.2)
        time.sleep(2.0)
        yield


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(), indent=2) + "\n")
