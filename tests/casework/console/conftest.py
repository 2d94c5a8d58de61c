"""A console over a small store, and people signed in to it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.console.identity import COOKIE
from casework.errors import EngineError
from casework.store.accounts import open_session
from casework.store.engine import open_engine, transaction
from tests.factories.consoles import console_of
from tests.factories.gates import BY, add_people, waiting_case


@dataclass
class Prefect:
    """What stands for Prefect: which runs were woken, and whether it answers."""

    woken: list[str] = field(default_factory=list)
    answers: bool = True

    async def wake(self, run_id: str) -> bool:
        """Wake a run."""
        if not self.answers:
            raise EngineError("Prefect does not answer")
        self.woken.append(run_id)
        return True


@pytest.fixture
def bare_engine(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """A store without anybody; pages are the same on either database."""
    path = tmp_path / "casework.db"
    shutil.copyfile(migrated_sqlite, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def engine(bare_engine: Engine) -> Engine:
    """A store with people."""
    add_people(bare_engine)
    return bare_engine


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case that waits in the general queue."""
    return waiting_case(engine, "T-1")


@pytest.fixture
def prefect() -> Prefect:
    """A server that wakes what it is asked to."""
    return Prefect()


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """The console."""
    return create_app(console_of(engine, lambda: now, prefect.wake))


SignIn = Callable[[str], TestClient]


@pytest.fixture
def signed_in(app: Any, engine: Engine, now: datetime) -> SignIn:
    """Makes a browser in which somebody has signed in."""

    def client(person: str) -> TestClient:
        with transaction(engine) as session:
            secret = open_session(session, person, BY, now)
        return TestClient(app, cookies={COOKIE: secret}, follow_redirects=False)

    return client
