"""The client of one lane: it answers the engine from memory where the answer is known.

For each run Prefect's engine writes the flow's version and retries to the server and reads the run
back, as if another process had made it. A lane has just been handed the run by that same server.
Each request spared is a tenth of what a review run costs the server.
"""

from typing import Any, Self
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.context import AsyncClientContext, ContextModel
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL


class LaneClient(PrefectClient):
    """A client of the server in use that knows the flow run its lane has in hand."""

    _held: FlowRun | None = None

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
