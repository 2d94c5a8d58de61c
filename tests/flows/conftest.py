"""One Prefect server for all tests of flows, and what is needed to run a flow run by hand."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy import Engine

from casework.store.engine import open_engine
from deployments.deploy import deploy_all
from deployments.stack import SERVER_SETTINGS


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A real Prefect server: the one CASEWORK_TEST_PREFECT_API_URL names, or one of our own."""
    for name, value in {**SERVER_SETTINGS, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}.items():
        os.environ.setdefault(name, value)
    given = os.environ.get("CASEWORK_TEST_PREFECT_API_URL")
    server = (
        temporary_settings({PREFECT_API_URL: given})
        if given
        else prefect_test_harness(server_startup_timeout=120)
    )
    with server, temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@pytest.fixture(scope="session")
def deployed(prefect_server: None) -> None:
    """The deployments of review runs, as ``casework up`` makes them."""
    asyncio.run(deploy_all(only={"case-review"}))


@pytest.fixture
def store(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An empty, migrated store that the flows' own settings point at."""
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path))
    monkeypatch.delenv("CASEWORK_DATABASE_URL", raising=False)
    shutil.copyfile(migrated_sqlite, tmp_path / "casework.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'casework.db'}")
    yield engine
    engine.dispose()
