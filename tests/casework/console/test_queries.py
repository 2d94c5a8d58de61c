"""How often a page asks the store: as often for many cases as for few."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from casework.store.engine import transaction
from casework.store.people import add_person
from tests.casework.console.asking import post
from tests.casework.console.conftest import SignIn
from tests.factories.escalation import timed_case
from tests.factories.gates import BY, NOW


@pytest.fixture
def lead(signed_in: SignIn, engine: Engine) -> TestClient:
    """Somebody who sees every list."""
    with transaction(engine) as session:
        roles, queues = ["lead", "analyst"], ["*"]
        add_person(session, "led", name="led", roles=roles, queues=queues, by=BY, now=NOW)
    return signed_in("led")


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that a block executes, but for those that begin a transaction."""
    asked: list[str] = []

    def note(connection: object, cursor: object, sql: str, *rest: object) -> None:
        asked.extend([] if sql.startswith("BEGIN") else [sql])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def asked_by(engine: Engine, do: Callable[[], object]) -> int:
    with statements(engine) as asked:
        do()
    return len(asked)


@pytest.mark.parametrize("path", ["/", "/queues/general", "/leads", "/leads/clocks"])
def test_a_list_asks_as_often_for_many_as_for_few(
    lead: TestClient, engine: Engine, path: str
) -> None:
    counts = []
    for batch in (2, 20):
        for number in range(batch):
            timed_case(engine, f"T-{batch}-{number}", severity="P2")
        assert lead.get(path).status_code == 200
        counts.append(asked_by(engine, lambda: lead.get(path)))
    assert counts[0] == counts[1] <= 6


def test_the_next_case_and_its_page_ask_as_often_however_many_wait(
    lead: TestClient, engine: Engine
) -> None:
    counts = []
    for batch in (1, 2, 20):
        for number in range(batch):
            timed_case(engine, f"T-{batch}-{number}", severity="P2")
        taken = asked_by(engine, lambda: post(lead, "/next"))
        case = post(lead, "/next").headers["location"]
        page = lead.get(case).text
        counts.append((taken, asked_by(engine, partial(lead.get, case))))
        gate = page.split('action="/gates/')[1].split("/")[0]
        post(lead, f"/gates/{gate}/release")
    # The first time of all the policy is read too.
    assert counts[1] == counts[2]
    assert max(counts[2]) <= 29
