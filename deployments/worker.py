"""The worker of type ``casework``: runs review runs in its own process.

A review run is short: it wakes, reads its gate, carries out a decision and ends or suspends again.
Starting a process for each would cost fifty times the work, so this worker keeps a few lanes, each
a thread with an event loop and a Prefect client of its own, and runs one flow run in each at a
time. There is no isolation between runs beyond that; batch flows belong on another pool.

Start it with ``prefect worker start --type casework --pool casework-review``.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import anyio
import anyio.abc
import httpx
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_WORKER_QUERY_SECONDS,
    temporary_settings,
)
from prefect.states import Cancelled
from prefect.utilities.services import critical_service_loop
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from casework.settings import load_settings
from deployments.lanes import Lanes

#: Seconds between two looks for runs that are due, and for runs to cancel.
POLL_SECONDS: Final = 1.0

#: For each lane: runs asked for at a look, and runs in hand that make another look needless.
_AT_A_LOOK: Final = 4
_ENOUGH: Final = 2

#: A run in Cancelling that no worker holds is let go after this long.
_ORPHANED_AFTER: Final = timedelta(seconds=30)


class CaseworkResult(BaseWorkerResult):
    """What a finished run leaves behind."""


class CaseworkWorker(BaseWorker[BaseJobConfiguration, BaseVariables, CaseworkResult]):
    """Runs flow runs in-process, a bounded number at once."""

    type = "casework"
    job_configuration = BaseJobConfiguration
    job_configuration_variables = BaseVariables
    _description = "Run Casework's review runs inside the worker's own process."
    _display_name = "Casework review"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Nothing is fetched ahead of time: a woken run is due at once or not at all.
        if kwargs.get("prefetch_seconds") is None:
            kwargs["prefetch_seconds"] = 0
        limit = kwargs.pop("limit", None) or load_settings().review_workers
        super().__init__(*args, **kwargs)
        self._lanes = Lanes(limit)
        self._free = asyncio.Semaphore(limit)

    async def start(
        self,
        run_once: bool = False,
        with_healthcheck: bool = False,
        printer: Callable[..., None] = print,
    ) -> None:
        """Poll every second until stopped, then let the runs in hand finish."""
        quick = {
            PREFECT_WORKER_QUERY_SECONDS: POLL_SECONDS,
            # A heartbeat thread for each run costs more than the run.
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        with temporary_settings(quick), self._lanes:
            async with anyio.create_task_group() as group:
                if not run_once:
                    group.start_soon(self._watch_cancellations)
                await super().start(run_once, with_healthcheck, printer)
                group.cancel_scope.cancel()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> CaseworkResult:
        """Run one flow run in a free lane and wait for it."""
        identifier = f"{socket.gethostname()}:{os.getpid()}"
        if task_status is not None:
            task_status.started(identifier)
        await self._lanes.run(flow_run)
        return CaseworkResult(identifier=identifier, status_code=0)

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """Ask for what the lanes can finish before the next look, and not for the whole queue.

        The server spends more on handing out two hundred runs, again and again, than on the runs
        themselves.
        """
        if len(self._submitting_flow_run_ids) > _ENOUGH * len(self._lanes):
            return []
        wanted = {
            "work_queue_names": sorted(self._work_queues),
            "scheduled_before": datetime.now(UTC).isoformat(),
            "limit": _AT_A_LOOK * len(self._lanes),
        }
        try:
            answer = await self.client.request(
                "POST",
                "/work_pools/{name}/get_scheduled_flow_runs",
                path_params={"name": self._work_pool_name},
                json=wanted,
            )
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return []  # The pool is gone; the next heartbeat makes it again.
            raise
        return WorkerFlowRunResponse.model_validate_list(answer.json())

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Run a run, claimed where it may not begin at once.

        The base class reads the deployment, the flow and the pool again for each run, to prepare
        a process that we do not start. A run that was woken is claimed by its lane as it begins;
        any other becomes Pending first, which is where Prefect counts what a deployment may run.
        """
        try:
            async with self._free:
                if _was_woken(flow_run) or await self._propose_pending_state(flow_run):
                    await self._lanes.run(flow_run)
        except Exception as error:
            self._logger.exception("Flow run %s could not be run", flow_run.id)
            await self._propose_crashed_state(flow_run, f"{type(error).__name__} in its worker")
        finally:
            self._submitting_flow_run_ids.discard(flow_run.id)

    async def _watch_cancellations(self) -> None:
        await critical_service_loop(
            workload=self._cancel_requested,
            interval=5 * POLL_SECONDS,
            jitter_range=0.3,
            backoff=4,
        )

    async def _cancel_requested(self) -> None:
        """Stop the runs of this pool that are to be cancelled."""
        if not self.is_setup:
            return
        cancelling = await self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CANCELLING]))
            ),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._work_pool_name])),
        )
        for flow_run in cancelling:
            held = self._lanes.cancel(flow_run.id)
            if held or _orphaned(flow_run):
                await self._settle_cancelled(flow_run.id)

    async def _settle_cancelled(self, flow_run_id: UUID) -> None:
        await self.client.set_flow_run_state(
            flow_run_id, Cancelled(message="Cancelled by its worker."), force=True
        )


def _was_woken(flow_run: FlowRun) -> bool:
    """Whether a run has been suspended and resumed, however late it is by now."""
    return bool(flow_run.empirical_policy.resuming)


def _orphaned(flow_run: FlowRun) -> bool:
    """Whether a run has been in Cancelling for so long that no worker can hold it."""
    if flow_run.state is None:
        return False
    return datetime.now(UTC) - flow_run.state.timestamp > _ORPHANED_AFTER
