"""Dropping what providers' cache no longer needs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.store.engine import transaction
from casework.store.signals import remember
from casework.store.tables import CachedReading
from tasks.cache import drop_expired
from tests.factories.intake import number_of


async def test_expired_answers_are_dropped_and_others_kept(
    engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    now = datetime.now(UTC)
    with transaction(engine) as session:
        remember(session, "account", "1", {"old": {}}, now - timedelta(seconds=1))
        remember(session, "account", "1", {"new": {}}, now + timedelta(hours=1))
    assert [await drop_expired.fn(), await drop_expired.fn()] == [1, 0]
    assert number_of(engine, CachedReading) == 1
    assert number_of(engine, CachedReading, CachedReading.key == "new") == 1
