"""What every test may ask for: a store on either database, the shared data, a fixed time."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from casework.ledger.entries import Provenance
from casework.store.engine import open_engine
from casework.store.schema import upgrade
from tests.databases import (
    drop_database,
    postgres_database,
    postgres_server,
    postgres_template,
)

# A busy machine is no fault of the code under test. The suite tries the same examples each time,
# so that it passes or fails by the change; `--hypothesis-profile explore` looks for new ones.
settings.register_profile(
    "explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("casework", settings.get_profile("explore"), derandomize=True)
settings.load_profile("casework")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out between processes so that one Prefect server does."""
    from tests.sharing import Sharing

    return Sharing(config, log)


SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one CASEWORK_TEST_POSTGRES_URL names, or the session's own."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[str]:
    """The name of a migrated PostgreSQL database to clone from."""
    name = postgres_template(postgres_url)
    yield name
    drop_database(postgres_url, name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    path = tmp_path_factory.mktemp("template") / "casework.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated store of the test's own; each test runs on both databases."""
    if request.param == "sqlite":
        path = tmp_path / "casework.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("migrated_postgres")
    with postgres_database(request.getfixturevalue("postgres_url"), template) as url:
        yield url
        # A command under test opens the engine by this URL and leaves it open.
        open_engine(url).dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it; each test runs on both databases."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with postgres_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """An empty, migrated store."""
    engine = open_engine(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def now() -> datetime:
    """A fixed point in time."""
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def by() -> Provenance:
    """Who acts in a test."""
    return Provenance(actor="casework:test", code_version="test")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as Prefect does."""
    return "asyncio"
