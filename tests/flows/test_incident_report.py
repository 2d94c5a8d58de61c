"""The flow incident_report against a real Prefect server."""

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from sqlalchemy import Engine

from casework.store.engine import transaction
from casework.store.incidents.cases import attach_cases
from casework.store.incidents.notes import add_note
from casework.store.incidents.reports import sign_off
from casework.store.restrictions import restrict
from flows.incident_report import incident_report
from tests.factories.escalation import person
from tests.factories.gates import BY, NOW, waiting_case
from tests.factories.incidents import add_team, done, resolved
from tests.factories.intake import actions_in


def gate_case(gate: str) -> str:
    """The case that a gate is of."""
    return f"c{gate[1:].split('-')[0]}"


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
    known, kept = (gate_case(waiting_case(store, each)) for each in ("T-1", "T-2"))
    with transaction(store) as session:
        attach_cases(session, incident, [known, kept], person("mia"), NOW)
        restrict(session, kept, ["mia"], "it is about one of us", BY, NOW, operating=True)
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
    assert known in str(artifact.data)
    assert kept not in str(artifact.data), "all may read it who reach Prefect"
    assert "secret" not in str(artifact.data).lower()


@pytest.mark.anyio
async def test_a_report_may_be_asked_for_before_the_closing(
    prefect_server: None, store: Engine
) -> None:
    add_team(store)
    incident = resolved(store)
    assert await incident_report(incident) == [incident]
