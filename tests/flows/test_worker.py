"""The worker of type ``casework`` against a real Prefect server.

It runs in a process of its own where what happens to the process is the point, otherwise in this
one, which spares seconds of starting up.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from prefect import get_client
from prefect.exceptions import Abort
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelling, Running
from prefect.utilities.engine import propose_state
from sqlalchemy import Engine, text

import casework.review_runs
import deployments.lanes
from deployments.lane_client import LaneClient
from deployments.worker import CaseworkWorker
from integrations.prefect_runs import PrefectReviewRuns
from tests.flows.review import (
    case_status,
    decide,
    gate_status,
    history,
    read_run,
    reconcile,
    resume,
    run_of,
    set_state,
    state_of,
    suspended_case,
)

pytestmark = pytest.mark.slow

PATIENCE = 90.0


@contextmanager
def worker(folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """``prefect worker start --type casework``, once it polls; killed at the end if it lives."""
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "prefect", "worker", "start"]
    command += ["--type", "casework", "--pool", "casework-review", "--name", name, "--limit", "2"]
    surroundings = {**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value())}
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, env=surroundings)
    try:
        deadline = time.monotonic() + PATIENCE
        while b"started!" not in log.read_bytes():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield child
    finally:
        child.kill()
        child.wait()


@asynccontextmanager
async def worker_in_here() -> AsyncIterator[CaseworkWorker]:
    """The worker in this process, until the block ends."""
    working = CaseworkWorker(work_pool_name="casework-review", limit=2)
    polling = asyncio.create_task(working.start(printer=lambda *words: None))
    try:
        yield working
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling


async def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened; fail if it does not."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)


async def until_state(run: str, name: str) -> None:
    """Wait until a run is in a state."""
    deadline = time.monotonic() + PATIENCE
    while await state_of(run) != name:
        assert time.monotonic() < deadline, f"the run is {await state_of(run)}"
        await asyncio.sleep(0.1)


async def test_the_worker_finishes_what_was_decided_and_suspends_what_was_not(
    store: Engine, deployed: None
) -> None:
    decided, decided_run = await suspended_case(store)
    woken, woken_run = await suspended_case(store)
    decide(store, decided, "ana")
    async with worker_in_here():
        await reconcile()
        await resume(woken_run, None)
        await until_state(decided_run, "Completed")
        await until(lambda: "gate.woken" in history(store, woken))
        await until_state(woken_run, "Suspended")
    assert (case_status(store, decided), gate_status(store, woken)) == ("closed", "open")


async def test_of_two_workers_that_want_a_woken_run_one_gets_it(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    other_gate, other_run = await suspended_case(store)
    async with get_client() as client:
        assert await PrefectReviewRuns(client).wake([run, other_run]) == 2
        assert await PrefectReviewRuns(client).wake([run, other_run]) == 0
    woken = await read_run(run)
    async with LaneClient.of_settings() as first, LaneClient.of_settings() as second:
        first.hold(woken)
        second.hold(woken)
        assert await propose_state(first, Running(), flow_run_id=woken.id)
        with pytest.raises(Abort):
            await propose_state(second, Running(), flow_run_id=woken.id)
    assert await state_of(run) == "Running"
    assert {gate_status(store, each) for each in (gate, other_gate)} == {"open"}


async def test_a_run_that_fails_leaves_the_others_alone(
    store: Engine, deployed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At its end the worker would wait for the run that fails, which is tried again and again.
    monkeypatch.setattr(deployments.lanes, "DRAIN_SECONDS", 0.0)
    broken, broken_run = await suspended_case(store)
    sound, sound_run = await suspended_case(store)
    with store.begin() as connection:
        # Its flow finds no such gate, and fails.
        connection.execute(text("UPDATE gates SET id = 'g-gone' WHERE id = :id"), {"id": broken})
    decide(store, sound, "ana")
    async with worker_in_here():
        await resume(broken_run, None)
        await reconcile()
        await until_state(sound_run, "Completed")
    assert case_status(store, sound) == "closed"


async def test_a_worker_killed_in_the_middle_leaves_nothing_half_done(
    store: Engine, deployed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    with worker(tmp_path, "killed") as child:
        blocker = store.raw_connection()
        blocker.cursor().execute("BEGIN IMMEDIATE")
        await resume(run, None)
        await until_state(run, "Running")
        child.send_signal(signal.SIGKILL)
        child.wait()
        blocker.rollback()
        blocker.close()
    assert (gate_status(store, gate), case_status(store, gate)) == ("decided", "waiting")

    await reconcile()
    assert run_of(store, gate) == run, "for all anybody knows the worker may still live"
    with monkeypatch.context() as patch:
        patch.setattr(casework.review_runs, "STALE_AFTER", timedelta(0))
        await reconcile()
    again = run_of(store, gate)
    assert again != run
    async with worker_in_here():
        await until_state(again, "Completed")
    assert case_status(store, gate) == "closed"
    assert history(store, gate).count("case.closed") == 1


async def test_a_worker_that_is_not_there_loses_nothing(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    await reconcile()
    assert await state_of(run) == "Resuming"
    async with worker_in_here():
        await until_state(run, "Completed")
    assert case_status(store, gate) == "closed"


async def test_sigterm_lets_runs_in_hand_finish(
    store: Engine, deployed: None, tmp_path: Path
) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    with worker(tmp_path, "drained") as child:
        blocker = store.raw_connection()
        blocker.cursor().execute("BEGIN IMMEDIATE")
        await resume(run, None)
        await until_state(run, "Running")
        child.send_signal(signal.SIGTERM)
        await asyncio.sleep(1.0)
        assert child.poll() is None, "it waits for the run in hand"
        blocker.rollback()
        blocker.close()
        assert child.wait(60) == 0
    assert case_status(store, gate) == "closed"
    assert await state_of(run) == "Completed"


async def test_cancelling_a_run_in_hand_stops_it_and_the_case_still_waits(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    await set_state(run, Cancelling(), force=True)
    async with worker_in_here():
        deadline = time.monotonic() + PATIENCE
        while run_of(store, gate) == run and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            await reconcile()
    assert run_of(store, gate) != run
    assert await state_of(run_of(store, gate)) == "Suspended"
    assert gate_status(store, gate) == "open"
