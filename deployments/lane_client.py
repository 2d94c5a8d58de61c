"""The client of one lane: it claims runs, and answers the engine where the answer is known.

For each run Prefect's engine writes the flow's version and retries to the server and reads the run
back, as if another process had made it. A lane has just been handed the run by that same server.
Each request spared is a tenth of what a review run costs the server.

A run is claimed by becoming Running, under a transition's id that all lanes share: Prefect refuses
a transition that a run has just made, so of two workers who want the same run one is refused.
"""

from typing import Any, Final, Self
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus, StateAbortDetails
from prefect.context import AsyncClientContext, ContextModel
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL
from prefect.states import to_state_create

#: The id of the transition by which a run is claimed; any would do, but for all the same.
CLAIM: Final = UUID("8f0c4f5e-5c1e-4f57-9d3c-2f9a3f0f6f51")


class LaneClient(PrefectClient):
    """A client of the server in use that knows the flow run its lane has in hand."""

    _held: FlowRun | None = None
    _claimed = False

    @classmethod
    def of_settings(cls) -> Self:
        """Make a client of the server that Prefect's settings name."""
        return cls(
            PREFECT_API_URL.value(),
            auth_string=PREFECT_API_AUTH_STRING.value(),
            api_key=PREFECT_API_KEY.value(),
        )

    def hold(self, flow_run: FlowRun) -> None:
        """Take a flow run in hand; the engine keeps its state up to date in place."""
        self._held = flow_run
        self._claimed = False

    async def set_flow_run_state(
        self, flow_run_id: UUID | str, state: State[Any], force: bool = False
    ) -> OrchestrationResult[Any]:
        """Claim the run in hand when it is first to become Running; else as any client does.

        Where another worker has the run the answer is to abort, which ends the engine's work on it.
        """
        held = self._held
        claims = state.is_running() and not self._claimed and not force
        if held is None or held.id != flow_run_id or not claims:
            return await super().set_flow_run_state(flow_run_id, state, force)
        wanted = to_state_create(state)
        wanted.state_details.flow_run_id = held.id
        wanted.state_details.transition_id = CLAIM
        answer = await self.request(
            "POST",
            "/flow_runs/{id}/set_state",
            path_params={"id": held.id},
            json={"state": wanted.model_dump(mode="json", serialize_as_any=True), "force": False},
        )
        result: OrchestrationResult[Any] = OrchestrationResult.model_validate(answer.json())
        if result.status == SetStateStatus.REJECT and result.state and result.state.is_running():
            result.status = SetStateStatus.ABORT
            result.details = StateAbortDetails(reason="another worker has this run")
        self._claimed = result.status == SetStateStatus.ACCEPT
        return result

    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Return the run in hand without asking; any other is read."""
        if self._held is not None and self._held.id == flow_run_id:
            return self._held
        return await super().read_flow_run(flow_run_id)

    async def update_flow_run(
        self, flow_run_id: UUID, *args: Any, **changes: Any
    ) -> httpx.Response:
        """Leave out what the engine repeats about the run in hand, unless its flow has retries.

        Retries are the server's business: it must know of them.
        """
        policy = changes.get("empirical_policy")
        repeats = not args and changes.keys() == {"flow_version", "empirical_policy"}
        held = self._held is not None and self._held.id == flow_run_id
        if held and repeats and policy is not None and not policy.retries:
            return httpx.Response(httpx.codes.NO_CONTENT)
        return await super().update_flow_run(flow_run_id, *args, **changes)


class LaneContext(AsyncClientContext):
    """Has everything in a lane use its ``LaneClient``."""

    client: LaneClient

    def __init__(self) -> None:
        ContextModel.__init__(self, client=LaneClient.of_settings())
