"""The enrichment flow, on a real Prefect server."""

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from sqlalchemy import Engine, select

from casework.store.engine import reading
from casework.store.tables import Case, SignalReading
from flows.enrichment import enrichment
from tests.factories.evidence import stored

SECRET = "words that stay in the store"


@pytest.mark.anyio
async def test_one_intake_is_enriched_and_reported_without_its_content(
    prefect_server: None, store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_BATCH_SIZE", "3")
    monkeypatch.setenv("CASEWORK_ACCOUNT_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("CASEWORK_PROVIDER_ATTEMPTS", "1")
    items = [{"intake_id": f"i{n % 2}", "body": SECRET, "subject_id": f"u{n}"} for n in range(8)]
    stored(store, items)
    state = await enrichment("i1", return_state=True)
    assert await state.aresult() == {"read": 4, "enriched": 4, "account:unavailable": 4}
    with reading(store) as session:
        assert sorted(session.scalars(select(Case.status))) == ["enriched"] * 4 + ["opened"] * 4
        assert set(session.scalars(select(SignalReading.provider))) == {
            "patterns",
            "history",
            "account",
        }
    async with get_client() as client:
        # Other tests leave artifacts of this key on the same server.
        own = ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])
        artifacts = await client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=own))
    assert [artifact.key for artifact in artifacts] == ["enrichment"]
    assert "unavailable 4" in str(artifacts[0].data)
    assert SECRET not in str(artifacts)
