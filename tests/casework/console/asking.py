"""What tests of the console ask of it and of its store."""

from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from casework.accounts import csrf_token
from casework.console.identity import COOKIE
from casework.store.engine import reading
from casework.store.gates import gate_by_id
from casework.store.ledger import entries_of


class Anything(dict[str, str]):
    """Values for the parts of a path; those that nobody gave are anything."""

    def __missing__(self, key: str) -> str:
        return "anything"


def csrf(client: TestClient) -> str:
    """What the forms of a session carry."""
    return csrf_token(client.cookies[COOKIE])


def case_of(engine: Engine, gate: str) -> str:
    """The case that a gate is of."""
    with reading(engine) as session:
        return gate_by_id(session, gate).case_id


def actions(engine: Engine, gate: str) -> list[str]:
    """What has happened to the case of a gate, as its history names it."""
    with reading(engine) as session:
        return [e.action for e in entries_of(session, gate_by_id(session, gate).case_id)]


def routes(app: Any) -> list[tuple[str, str]]:
    """Every method and path that the console answers."""
    found = _routes(app)
    # What walks them must not pass because there are none: FastAPI has changed where they stand.
    assert len(found) > 50
    return found


def _routes(app: Any) -> list[tuple[str, str]]:
    found = []
    for route in app.routes:
        if hasattr(route, "original_router"):
            found += _routes(route.original_router)
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            found += [(method, route.path + path) for method, path in _routes(route.app)]
        elif isinstance(route, Route) or hasattr(route, "methods"):
            found += [(method, route.path) for method in sorted(route.methods - {"HEAD"})]
    return found


def post(client: TestClient, path: str, **fields: str) -> Any:
    """Send a form as the session's own pages do."""
    return client.post(path, data={"csrf": csrf(client), **fields})
