"""The flow health against a real Prefect server."""

from datetime import UTC, datetime, timedelta

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from sqlalchemy import Engine

from casework.errors import ConfigurationError
from casework.ledger.entries import Action, Draft
from casework.store.engine import reading, transaction
from casework.store.health.taking import snapshot
from casework.store.ledger import append, entries_of
from flows.health import health
from tests.factories.escalation import add_everybody, timed_case
from tests.factories.gates import BY

pytestmark = pytest.mark.anyio


async def test_the_flow_records_each_day_once_and_shows_a_report_without_content(
    prefect_server: None, store: Engine
) -> None:
    now = datetime.now(UTC)
    begun = now - timedelta(days=3)
    with transaction(store) as session:
        append(session, [Draft("system", Action.POLICY_ADOPTED, {})], BY, begun)
    add_everybody(store)
    timed_case(store, "secret-7", opened_at=now - timedelta(days=2))
    first = await health()
    assert len(first["recorded"]) in (2, 3)  # within an hour of midnight yesterday is not over
    assert first["expected_misses"] == 1.0
    assert (await health())["recorded"] == []
    with reading(store) as session:
        kept = snapshot(session)
        told = [e for e in entries_of(session, "system") if e.action == "health.recorded"]
    assert kept is not None
    assert "backlog" in kept.charts
    assert len(told) == len(first["recorded"])
    async with get_client() as client:
        key = ArtifactFilter(key=ArtifactFilterKey(any_=["health"]))
        artifacts = await client.read_artifacts(artifact_filter=key)
    shown = [str(artifact.data) for artifact in artifacts]
    assert any("# Health of the work" in each and "| general |" in each for each in shown)
    assert not any("secret" in each for each in shown)


async def test_a_region_that_nothing_has_is_refused(
    prefect_server: None, store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_HEALTH_REGION", "contry")
    with pytest.raises(ConfigurationError, match="contry"):
        await health()
