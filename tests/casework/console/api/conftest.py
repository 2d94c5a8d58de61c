"""A console whose API is asked by programs, each with somebody's token."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.gates import Role
from casework.store.engine import transaction
from casework.store.people import add_person
from tests.casework.console.conftest import Prefect
from tests.factories.consoles import console_of
from tests.factories.gates import BY, NOW
from tests.factories.tokens import bearer_of

Program = Callable[..., TestClient]

#: One person for each role, in every queue.
ROLES = {f"one_{role}": role for role in Role}


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A store with people, among them one of each role."""
    with transaction(engine) as session:
        for who, role in ROLES.items():
            add_person(session, who, name=who, roles=[role], queues=["*"], by=BY, now=NOW)
    return engine


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """A console that lets programs ask as often as they like."""
    return create_app(console_of(engine, lambda: now, prefect.wake, api_per_minute=10_000_000))


@pytest.fixture
def program(app: Any, engine: Engine) -> Program:
    """Makes a program that acts for somebody, with all scopes unless some are named."""

    def client(person: str, *scopes: str) -> TestClient:
        header = bearer_of(engine, person, *([scopes] if scopes else []))
        return TestClient(app, base_url="http://testserver/api/v1", headers=header)

    return client
