"""The flow incident_report against a real Prefect server."""

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from sqlalchemy import Engine

from casework.store.incidents.notes import add_note
from casework.store.incidents.reports import sign_off
from flows.incident_report import incident_report
from tests.factories.incidents import add_team, done, resolved
from tests.factories.intake import actions_in


@pytest.mark.anyio
async def test_a_closed_incident_s_report_becomes_an_artifact_without_words(
    prefect_server: None, store: Engine
) -> None:
    add_team(store)
    incident = resolved(store)
    done(
        store,
        incident,
        "mia",
        lambda s, by, at: add_note(s, incident, "secret", key="1", by=by, now=at),
    )
    assert await incident_report() == []
    done(store, incident, "mia", lambda s, by, at: sign_off(s, incident, by, at))
    assert await incident_report() == [incident]
    assert await incident_report() == [], "published once"
    assert actions_in(store, incident)[-1] == "incident.published"
    async with get_client() as client:
        key = ArtifactFilter(key=ArtifactFilterKey(any_=[f"incident-{incident}"]))
        [artifact] = await client.read_artifacts(artifact_filter=key)
    assert f"# Incident {incident}" in str(artifact.data)
    assert "note 1" in str(artifact.data)
    assert "secret" not in str(artifact.data).lower()


@pytest.mark.anyio
async def test_a_report_may_be_asked_for_before_the_closing(
    prefect_server: None, store: Engine
) -> None:
    add_team(store)
    incident = resolved(store)
    assert await incident_report(incident) == [incident]
