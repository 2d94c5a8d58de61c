"""Review runs held by a Prefect server."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.input.run_input import keyset_from_paused_state
from prefect.states import Scheduled, Suspended, to_state_create

from casework.batches import in_batches
from casework.errors import EngineError
from casework.ports import RunRequest, RunState, RunView
from casework.review_runs import pause_key
from integrations.resume_form import offer_form

#: The deployment whose runs these are.
DEPLOYMENT: Final = "case_review/case-review"

#: Runs in one look-up: the server's page.
_PAGE: Final = 200

#: Runs woken in one request; the server takes no more than fifty. It wakes them one after another,
#: and until then answers nobody who waits for the last of them.
_AT_ONCE: Final = 20

_STATES: Final[Mapping[StateType, RunState]] = {
    StateType.PAUSED: RunState.SUSPENDED,
    StateType.SCHEDULED: RunState.SCHEDULED,
    StateType.PENDING: RunState.ACTIVE,
    StateType.RUNNING: RunState.ACTIVE,
    StateType.CANCELLING: RunState.ACTIVE,
    StateType.COMPLETED: RunState.ENDED,
    StateType.FAILED: RunState.ENDED,
    StateType.CRASHED: RunState.ENDED,
    StateType.CANCELLED: RunState.ENDED,
}


class PrefectReviewRuns:
    """``casework.ports.ReviewRuns`` on a Prefect server.

    Args:
        client: an opened client of that server.
    """

    def __init__(self, client: PrefectClient) -> None:
        self._client = client
        self._deployment: UUID | None = None

    async def make(self, request: RunRequest) -> str:
        """Make a run, suspended or due at once, and return its id."""
        state: State[Any] = Scheduled()
        if request.suspended:
            state = Suspended(pause_key=pause_key(request.gate_id, request.attempt))
            if request.takes_form:
                keyset = {str(name): key for name, key in keyset_from_paused_state(state).items()}
                state.state_details.run_input_keyset = keyset
        async with _reported():
            run = await self._client.create_flow_run_from_deployment(
                await self._deployment_id(),
                parameters={"case_id": request.case_id, "gate_id": request.gate_id},
                state=state,
                name=f"{request.case_id} gate {request.gate_id.removeprefix('g')}",
                tags=[f"case:{request.case_id}", *request.tags],
                idempotency_key=request.key,
            )
            if request.suspended and request.takes_form:
                await offer_form(self._client, run.id, keyset_from_paused_state(state)["schema"])
        return str(run.id)

    async def wake(self, run_ids: Sequence[str]) -> int:
        """Resume suspended runs, many in one request; only the server's ACCEPT counts.

        A run that takes a form is woken past it.
        """
        resuming = to_state_create(Scheduled(name="Resuming"))
        woken = 0
        for page in in_batches(run_ids, _AT_ONCE):
            chosen = FlowRunFilter(
                id=FlowRunFilterId(any_=[UUID(run_id) for run_id in page]),
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])),
            )
            async with _reported():
                answer = await self._client.request(
                    "POST",
                    "/flow_runs/bulk_set_state",  # type: ignore[arg-type]  # not in its list
                    json={
                        "flow_runs": chosen.model_dump(mode="json"),
                        "state": resuming.model_dump(mode="json"),
                        "limit": _AT_ONCE,
                    },
                )
            results = answer.json()["results"]
            woken += sum(result["status"] == SetStateStatus.ACCEPT.value for result in results)
        return woken

    async def look(self, run_ids: Sequence[str]) -> Mapping[str, RunView]:
        """Read the runs' states, a page at a time."""
        found: dict[str, RunView] = {}
        for page in in_batches(run_ids, _PAGE):
            chosen = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run_id) for run_id in page]))
            async with _reported():
                runs = await self._client.read_flow_runs(flow_run_filter=chosen, limit=_PAGE)
            found.update({str(run.id): _view(run) for run in runs})
        return found

    async def _deployment_id(self) -> UUID:
        if self._deployment is None:
            try:
                deployment = await self._client.read_deployment_by_name(DEPLOYMENT)
            except ObjectNotFound as error:
                raise EngineError(
                    f"Prefect has no deployment {DEPLOYMENT}",
                    hint="run: prefect --no-prompt deploy --all",
                ) from error
            self._deployment = deployment.id
        return self._deployment


def _view(run: FlowRun) -> RunView:
    if run.state is None:
        return RunView(RunState.SCHEDULED, datetime.now(UTC))
    return RunView(_STATES[run.state.type], run.state.timestamp)


@asynccontextmanager
async def _reported() -> AsyncIterator[None]:
    try:
        yield
    except (httpx.HTTPError, OSError) as error:
        raise EngineError(
            f"Prefect does not answer: {type(error).__name__}",
            hint="check PREFECT_API_URL, or start the embedded stack with: casework up",
        ) from error
