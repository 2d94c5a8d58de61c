"""What every test may ask for: a store on either database, the shared data, a fixed time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.ledger.entries import Provenance
from casework.store.engine import open_engine

SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of the session's own, from a wheel."""
    yield from ()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An empty, migrated store."""
    return open_engine(f"sqlite:///{tmp_path / 'casework.db'}")


@pytest.fixture
def now() -> datetime:
    """A fixed point in time."""
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def by() -> Provenance:
    """Who acts in a test."""
    return Provenance(actor="casework:test", code_version="test")
