"""The tasks of intake, through their functions."""

import io
import logging
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.errors import InputError, MappingError
from casework.store.tables import Case
from tasks import intake as tasks
from tests.factories.intake import number_of, row, rows_file


@pytest.fixture(autouse=True)
def surroundings(
    engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    monkeypatch.setenv("CASEWORK_BATCH_SIZE", "2")
    monkeypatch.setattr(tasks, "get_run_logger", lambda: logging.getLogger("test"))


async def test_a_file_is_read_in_batches_and_counted(engine: Engine, tmp_path: Path) -> None:
    file = rows_file(tmp_path / "a.jsonl", row("T-1"), row("T-2"), row("T-1"), b"broken")
    counts = await tasks.read_file.fn(str(file), "i1")
    assert counts == {
        "received": 4,
        "opened": 2,
        "duplicates": 1,
        "revised": 0,
        "quarantined": 1,
    }
    assert await tasks.read_file.fn(str(file), "i1") == counts
    assert await tasks.reasons_for_quarantine.fn("i1") == {"broken_json": 1}
    assert number_of(engine, Case) == 2


async def test_a_faulty_mapping_stops_the_task_before_anything_is_read(
    engine: Engine, tmp_path: Path
) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text("fields: {}")
    file = rows_file(tmp_path / "a.jsonl", row("T-1"))
    with pytest.raises(MappingError):
        await tasks.read_file.fn(str(file), "i1", str(mapping))
    assert number_of(engine, Case) == 0


async def test_standard_input_is_kept_until_it_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"external_id": "T-1"}\n')))
    kept = await tasks.spool_input.fn("i1")
    assert (await tasks.read_file.fn(kept, "i1"))["opened"] == 1
    with pytest.raises(InputError):
        await tasks.spool_input.fn("i1")
    await tasks.drop_spool.fn(kept)
    await tasks.drop_spool.fn(kept)
    assert not Path(kept).exists()
