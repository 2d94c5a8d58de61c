"""Lanes: threads that each run one flow run at a time, with an event loop and client of their own.

Prefect's engine blocks its event loop in places, so runs that share a loop do not overlap; and a
client for each run would load the certificates anew each time.
"""

import asyncio
import contextvars
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.context import SyncClientContext
from prefect.exceptions import Abort, Pause
from prefect.flow_engine import run_flow_async
from prefect.flows import load_flow_from_entrypoint
from prefect.results import aget_default_result_storage

from deployments.lane_client import LaneClient, LaneContext

#: Seconds that runs in hand may take to finish when the worker is stopped.
DRAIN_SECONDS: Final = 30.0


class Lane:
    """One thread, one event loop, one client."""

    def __init__(self, number: int) -> None:
        self._thread = threading.Thread(
            target=self._serve_in_context, name=f"casework-lane-{number}", daemon=True
        )
        self._ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: contextvars.Context | None = None
        self._stop: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._client: LaneClient | None = None
        self._flows: dict[UUID, Flow[..., Any]] = {}
        self._surroundings = contextvars.copy_context()

    def open(self) -> None:
        """Start the thread and wait until it can run."""
        self._thread.start()
        self._ready.result()

    def _serve_in_context(self) -> None:
        # The settings in force are those of whoever made the lane.
        self._surroundings.run(asyncio.run, self._serve())

    async def _serve(self) -> None:
        try:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            # Where no blocking client is at hand the engine makes one for each run.
            with SyncClientContext():
                async with LaneContext() as context:
                    self._client = context.client
                    self._context = contextvars.copy_context()
                    self._ready.set_result(None)
                    await self._stop.wait()
                    if self._task is not None:
                        await asyncio.wait([self._task], timeout=DRAIN_SECONDS)
        except Exception as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    def submit(self, flow_run: FlowRun) -> "Future[None]":
        """Run a flow run in this lane; the future ends with it, and carries its surprise."""
        done: Future[None] = Future()

        def begin() -> None:
            assert self._loop is not None
            assert self._context is not None
            context = self._context.copy()
            self._task = self._loop.create_task(self._run(flow_run), context=context)
            self._task.add_done_callback(lambda task: _finish(task, done))

        assert self._loop is not None
        self._loop.call_soon_threadsafe(begin)
        return done

    def cancel(self) -> None:
        """Ask the flow run in this lane to stop."""
        if self._task is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def close(self) -> None:
        """Let the flow run in hand finish, then end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=DRAIN_SECONDS + 5)

    async def _run(self, flow_run: FlowRun) -> None:
        assert self._client is not None
        flow = await self._flow(flow_run, self._client)
        try:
            # Without its deployment's id the engine does not open a websocket and a thread to
            # watch for suspension from outside: these runs suspend themselves.
            alone = flow_run.model_copy(update={"deployment_id": None}, deep=True)
            self._client.hold(alone)
            await run_flow_async(flow, flow_run=alone, parameters=flow_run.parameters)
        except (Pause, Abort):
            return
        except Exception:
            # The engine has recorded the failure as the run's state; the lane goes on.
            return

    async def _flow(self, flow_run: FlowRun, client: PrefectClient) -> Flow[..., Any]:
        if flow_run.flow_id not in self._flows:
            entrypoint = await _entrypoint(client, flow_run)
            flow: Flow[..., Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
            if flow.result_storage is None:
                # Otherwise the engine asks the server where to, for each run.
                flow.result_storage = await aget_default_result_storage()
            self._flows[flow_run.flow_id] = flow
        return self._flows[flow_run.flow_id]


class Lanes:
    """A fixed number of lanes; use as a context manager."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._idle: SimpleQueue[Lane] = SimpleQueue()
        self._lanes: list[Lane] = []
        self._held: dict[UUID, Lane] = {}

    def __enter__(self) -> Self:
        self._lanes = [Lane(number) for number in range(self._count)]
        for lane in self._lanes:
            lane.open()
            self._idle.put(lane)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lane in self._lanes:
            lane.close()

    def __len__(self) -> int:
        return self._count

    async def run(self, flow_run: FlowRun) -> None:
        """Run a flow run in an idle lane; the caller sees to it that there is one."""
        lane = self._idle.get_nowait()
        self._held[flow_run.id] = lane
        try:
            await asyncio.wrap_future(lane.submit(flow_run))
        finally:
            self._held.pop(flow_run.id, None)
            self._idle.put(lane)

    def cancel(self, flow_run_id: UUID) -> bool:
        """Ask a flow run to stop; False if no lane holds it."""
        lane = self._held.get(flow_run_id)
        if lane is not None:
            lane.cancel()
        return lane is not None


def _finish(task: "asyncio.Task[None]", done: "Future[None]") -> None:
    if done.cancelled() or not done.set_running_or_notify_cancel():
        return
    if task.cancelled():
        done.set_result(None)
    elif error := task.exception():
        done.set_exception(error)
    else:
        done.set_result(None)


async def _entrypoint(client: PrefectClient, flow_run: FlowRun) -> str:
    assert flow_run.deployment_id is not None
    deployment = await client.read_deployment(flow_run.deployment_id)
    if not deployment.entrypoint:
        raise ValueError(f"deployment {deployment.name} has no entrypoint")
    return deployment.entrypoint
