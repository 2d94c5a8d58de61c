"""The flow risk_review against a real Prefect server."""

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from sqlalchemy import Engine

from flows.risk_review import risk_review
from tests.factories.enriched import enriched_case


@pytest.mark.anyio
async def test_the_flow_decides_what_waits_and_shows_counts_without_content(
    prefect_server: None, store: Engine
) -> None:
    quiet = {"subject_actions_90d": 0, "subject_cases_90d": 0, "reporter_cases_90d": 0}
    for number in range(3):
        enriched_case(store, f"T-{number}", {"history": quiet})
    assert await risk_review() == {"closed": 0, "review": 3, "escalated": 0}
    assert await risk_review() == {"closed": 0, "review": 0, "escalated": 0}
    async with get_client() as client:
        key = ArtifactFilter(key=ArtifactFilterKey(any_=["risk-review"]))
        artifacts = await client.read_artifacts(artifact_filter=key)
    shown = [str(artifact.data) for artifact in artifacts]
    assert any("| review | none (default) | trust_safety | 3 |" in each for each in shown)
    assert not any("secret" in each for each in shown)
