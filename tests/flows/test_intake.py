"""The intake flow on a real server: from a file to decided cases."""

from pathlib import Path

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.resources import resource
from casework.store.engine import reading
from casework.store.tables import Case
from flows.intake import intake
from tests.factories.intake import row, rows_file

pytestmark = pytest.mark.usefixtures("prefect_server")


async def test_a_file_becomes_cases_that_are_decided_and_is_told_in_counts(
    store: Engine, tmp_path: Path
) -> None:
    counts = await intake(
        str(resource("samples/tickets.jsonl")), mapping=str(resource("samples/mapping.yaml"))
    )
    assert counts["received"] == sum(
        counts[name] for name in ("opened", "duplicates", "revised", "quarantined")
    )
    assert counts["opened"] == sum(counts[name] for name in ("closed", "review", "escalated"))
    with reading(store) as session:
        statuses = set(session.scalars(select(col(Case.status))))
    assert statuses <= {"closed", "waiting"}


async def test_a_run_is_named_after_its_source_and_says_nothing_of_the_content(
    store: Engine, tmp_path: Path
) -> None:
    secret = "zwetschgendatschi"
    file = rows_file(
        tmp_path / "a.jsonl", row("T-1", body=secret), f'{{"{secret}": '.encode(), row("T-2")
    )
    state = await intake(str(file), source="desk", intake_id="i77", return_state=True)
    assert (await state.aresult())["quarantined"] == 1
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
        key = ArtifactFilter(key=ArtifactFilterKey(any_=["intake"]))
        found = await client.read_artifacts(artifact_filter=key)
        logs = await client.read_logs(limit=200)
    assert run.name == "intake-desk-i77"
    told = [str(artifact.data) for artifact in found if artifact.flow_run_id == run.id]
    assert "broken_json | 1" in told[0]
    assert secret not in str(run) + "".join(told) + "".join(log.message for log in logs)


async def test_the_same_intake_again_opens_nothing(store: Engine, tmp_path: Path) -> None:
    file = rows_file(tmp_path / "a.jsonl", row("T-1"), row("T-2"))
    first = await intake(str(file), source="desk")
    again = await intake(str(file), source="desk")
    assert (first["opened"], first["review"] + first["closed"] + first["escalated"]) == (2, 2)
    assert (again["opened"], again["duplicates"]) == (0, 2)
    assert again["review"] + again["closed"] + again["escalated"] == 0
