"""The page on the API and the API say the same; its commands are sent to a console."""

import re
import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.store.engine import open_engine, transaction
from casework.store.people import add_person
from tests.casework.console.api.test_roles import ALL, NEEDS, WORK
from tests.casework.console.asking import case_of
from tests.docs.pages import table
from tests.factories.consoles import console_of
from tests.factories.gates import BY, NOW, add_people, evidence_of, waiting_case
from tests.factories.tokens import bearer_of
from tests.source import ROOT

PAGE = "docs/api.md"


def test_the_page_lists_every_operation_with_its_scope_and_its_roles() -> None:
    written = {cells[0]: (cells[1], cells[2]) for cells in table(PAGE, "operation")}
    assert written.pop("GET /me") == ("any", "all")
    assert written == {each: (scope, _named(roles)) for each, (scope, roles) in NEEDS.items()}


def _named(roles: set[Any]) -> str:
    if roles in (ALL, WORK):
        return "all" if roles == ALL else "workers"
    return ", ".join(sorted(roles))


@pytest.fixture
def engine(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "casework.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    add_people(engine)
    with transaction(engine) as session:
        add_person(session, "lin", name="Lin", roles=["lead"], queues=["*"], by=BY, now=NOW)
    yield engine
    engine.dispose()


def test_each_curl_on_the_page_does_what_it_says(engine: Engine, now: datetime) -> None:
    gate = waiting_case(engine)
    people = {"TOKEN": "ana", "LEAD": "lin", "AUDITOR": "aud"}
    known = {
        name: bearer_of(engine, who)["Authorization"].split()[1] for name, who in people.items()
    }
    known |= {"API": "/api/v1", "GATE": gate, "CASE": case_of(engine, gate)}
    known["EVIDENCE"] = evidence_of("T-1")
    known["UNTIL"] = (now + timedelta(days=1)).isoformat()
    client = TestClient(create_app(console_of(engine, lambda: now, api_per_minute=100_000)))
    commands = list(_commands(known))
    assert len(commands) > 12
    for command in commands:
        done = _sent(client, command)
        assert done.status_code == 200, f"{command}: {done.text}"


def _commands(known: dict[str, str]) -> Iterator[list[str]]:
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / PAGE).read_text(encoding="utf8"), re.S):
        for line in block.splitlines():
            if line.startswith("curl "):
                filled = re.sub(r"\$([A-Z]+)", lambda found: known[found[1]], line)
                yield shlex.split(filled, comments=True)


def _sent(client: TestClient, command: list[str]) -> Any:
    """What a console answers to a curl command."""
    method, headers, body, url = "GET", {}, None, ""
    words = iter(command[1:])
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "--json":
            body, headers["Content-Type"] = next(words), "application/json"
        elif not word.startswith("-"):
            url = word
    return client.request(method, url, headers=headers, content=body)
