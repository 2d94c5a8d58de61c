"""The flow qa_sampling against a real Prefect server."""

from pathlib import Path

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from sqlalchemy import Engine

from casework.store.tables import QaGate
from flows.qa_sampling import qa_sampling
from tests.factories.intake import number_of
from tests.factories.policy import FILES
from tests.factories.qa import CLOSES, PLANS, decided, staffed


@pytest.mark.anyio
async def test_the_flow_draws_once_and_shows_counts_without_content(
    prefect_server: None, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "policy"
    folder.mkdir()
    for name, text in {**FILES, "qa.yaml": PLANS}.items():
        (folder / name).write_text(text)
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(folder))
    staffed(store)
    decided(store, machine=8, people=["ana"])
    first = await qa_sampling("all", until=CLOSES)
    assert (first["population"], first["sampled"]) == (9, 6)
    assert await qa_sampling("all", until=CLOSES) == first
    assert number_of(store, QaGate) == 6
    nothing = await qa_sampling("all", seed="x")
    assert nothing == {"round": None, "population": 0, "sampled": 0, "proposals": 0}
    async with get_client() as client:
        key = ArtifactFilter(key=ArtifactFilterKey(any_=["qa-sampling"]))
        artifacts = await client.read_artifacts(artifact_filter=key)
    shown = [str(artifact.data) for artifact in artifacts]
    assert any(f"round `{first['round']}`" in each for each in shown)
    assert any("| machine, - | 8 | 5 | 0.625 |" in each for each in shown)
    assert not any("secret" in each for each in shown)
