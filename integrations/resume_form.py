"""The form behind Prefect's own Resume button.

Prefect knows nobody by name, so whoever fills it in is recorded as unverified, and it is offered
only where the setting ``prefect_ui_decisions`` says so and one person suffices. No field has a
default: an empty body must never mean a decision.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

import httpx
import orjson
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.input import RunInput
from prefect.input.run_input import keyset_from_paused_state
from prefect.states import Suspended
from pydantic import Field

from casework.review_runs import pause_key


class AnswerForm(RunInput):
    """What the Resume form asks for."""

    person: str = Field(description="Your id, as Casework knows it.", min_length=1)
    verdict: Literal["approve", "refuse", "escalate"] = Field(description="Your answer.")
    action: str = Field(description="The action you approve; empty unless you approve.")
    escalate_to: str = Field(description="The queue you hand over to; empty unless you escalate.")
    rationale: str = Field(description="Why, in a sentence. Ids only, no content.", min_length=3)
    evidence: str = Field(
        description="First 12 characters of the evidence digest you have read.", min_length=12
    )


async def offer_form(client: PrefectClient, flow_run_id: UUID, key: str) -> None:
    """Save the form's schema for a run that was made suspended; one that is there already stays."""
    schema = orjson.dumps(AnswerForm.model_json_schema(by_alias=True)).decode()
    with _allowed(httpx.codes.CONFLICT):
        await client.create_flow_run_input(flow_run_id=flow_run_id, key=key, value=schema)


async def take_form(
    client: PrefectClient, flow_run_id: UUID, gate_id: str, attempt: int
) -> dict[str, Any] | None:
    """Read what was typed into the form of one attempt, and delete it from Prefect.

    Returns:
        The fields of ``AnswerForm`` as they came, or None where the run was resumed without.
    """
    key = keyset_from_paused_state(Suspended(pause_key=pause_key(gate_id, attempt)))["response"]
    raw = ""
    with _allowed(httpx.codes.NOT_FOUND):
        raw = await client.read_flow_run_input(flow_run_id, key)
        await client.delete_flow_run_input(flow_run_id, key)
    fields = _parsed(raw)
    return fields if isinstance(fields, dict) and fields else None


def _parsed(raw: str) -> Any:
    """What a response says; nothing where somebody wrote there what is not JSON."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


@contextmanager
def _allowed(status: httpx.codes) -> Iterator[None]:
    """Take one answer of the server for an outcome; its client raises it in either of two ways."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        if error.response.status_code != status:
            raise
    except ObjectNotFound:
        if status != httpx.codes.NOT_FOUND:
            raise
