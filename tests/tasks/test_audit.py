"""Sealing as a task: repeatable, and its artifact shows the checkpoint alone."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.ledger.checkpoint import parse_verifier
from casework.ledger.entries import Action, Draft
from casework.store.audit import verify
from flows.seal import summary
from tasks.audit import seal_entries
from tests.factories.ledger import drafts, write


@pytest.fixture
def ledger(
    engine: Engine, store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Engine:
    """An empty store, which the task finds by the environment."""
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    return engine


def test_an_empty_ledger_is_left_alone(ledger: Engine) -> None:
    assert asyncio.run(seal_entries.fn()) is None


def test_sealing_twice_adds_nothing_the_second_time(ledger: Engine) -> None:
    write(ledger, drafts(3, 2))
    first, second = asyncio.run(seal_entries.fn()), asyncio.run(seal_entries.fn())
    assert first is not None
    assert second == {**first, "added": 0}
    key = parse_verifier(first["verifier"])
    assert verify(ledger, key, allow_unsealed=False).fault is None


def test_the_artifact_holds_the_note_and_nothing_of_any_entry(ledger: Engine) -> None:
    write(ledger, [Draft("c1", Action.CASE_OPENED, {"external_id": "very private"})])
    done = asyncio.run(seal_entries.fn())
    assert done is not None
    text = summary(done)
    assert done["note"] in text
    assert done["verifier"] in text
    assert "very private" not in text
