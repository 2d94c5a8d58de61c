"""Prefect ends while an analyst works: what they decide is carried out once when it is back."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import httpx
import pytest
from playwright.sync_api import Page, expect
from prefect import get_client
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import Engine

from casework.settings import load_settings
from casework.store.engine import open_engine, reading
from casework.store.gates import gate_by_id
from casework.store.outbox import list_effects
from casework.store.schema import upgrade
from deployments.children import stop
from deployments.deploy import deploy_all
from deployments.stack import free_port, part, prepare_environment, server_process
from tests.casework.console.asking import case_of
from tests.deployments.browsing import IN_A_BROWSER, Open, press
from tests.factories.effects import LEAVING, leaving_bundle, written
from tests.flows.review import case_status, gate_status, history, state_of, suspended_case

pytestmark = IN_A_BROWSER

T = TypeVar("T")

PATIENCE = 120.0

#: Every minute otherwise: how often gates and runs are brought together.
ROUND = timedelta(seconds=15)

DOWN = "Prefect does not answer"


@dataclass
class Stack:
    """What ``casework up`` runs, but for a server that can be ended and started again."""

    port: int
    running: ExitStack

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def start(self) -> None:
        self.process = self.running.enter_context(server_process(load_settings(), self.port))

    def end(self) -> None:
        stop(self.process)

    def ask(self, asked: Callable[[], Awaitable[T]]) -> T:
        """Ask Prefect, away from the loop that the browser has in this thread."""

        async def ask() -> T:
            with temporary_settings({PREFECT_API_URL: self.api}):
                return await asked()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, ask()).result()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A Prefect server with both workers and the console, all in processes of their own."""
    with patch.dict(os.environ), ExitStack() as running:
        stack = Stack(free_port(0), running)
        os.environ |= {
            "CASEWORK_HOME": str(tmp_path),
            "CASEWORK_POLICY_DIR": str(written(tmp_path / "policy", LEAVING)),
            "CASEWORK_CONSOLE_PORT": str(free_port(0)),
            "PREFECT_HOME": str(tmp_path / "prefect"),
            "PREFECT_API_URL": stack.api,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        os.environ.pop("CASEWORK_DATABASE_URL", None)
        settings = load_settings()
        prepare_environment(settings)
        stack.start()
        stack.ask(deployed)
        # They end before the server does: a worker that has none does not end by itself.
        with ExitStack() as parts:
            for name in ("review-worker", "batch-worker", "console"):
                parts.enter_context(part(settings, name))
            yield stack


async def deployed() -> None:
    """Deploy review runs and what keeps them together, in shorter rounds."""
    await deploy_all(only={"case-review", "reconcile"})
    async with get_client() as client:
        found = await client.read_deployment_by_name("reconcile/reconcile")
        for each in found.schedules:
            schedule = IntervalSchedule(interval=ROUND)
            await client.update_deployment_schedule(found.id, each.id, schedule=schedule)


@pytest.fixture
def engine(stack: Stack) -> Iterator[Engine]:
    """The store of all of them."""
    engine = open_engine(load_settings().store_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def url(stack: Stack, engine: Engine) -> str:
    """The console, once it listens."""
    url = f"http://127.0.0.1:{load_settings().console_port}"
    until(lambda: answers(url))
    return url


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/sign-in").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened; fail if it does not."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


def loaded_again(page: Page, *, down: bool) -> bool:
    """Whether a page says, once it is loaded again, how Prefect is."""
    page.reload()
    return (page.get_by_text(DOWN).count() > 0) is down


def test_what_is_decided_while_prefect_is_down_is_carried_out_once_when_it_is_back(
    stack: Stack, engine: Engine, sign_in: Open, url: str
) -> None:
    gate, run = stack.ask(lambda: suspended_case(engine, bundle=leaving_bundle()))
    other, _ = stack.ask(lambda: suspended_case(engine, bundle=leaving_bundle()))
    page = sign_in("ana")
    page.goto(f"{url}/cases/{case_of(engine, gate)}")
    press(page, "c")
    expect(page.get_by_text("You have it until")).to_be_visible()
    expect(page.locator("#answer")).to_be_visible()
    expect(page.get_by_text(DOWN)).to_be_hidden()

    stack.end()
    until(lambda: loaded_again(page, down=True))
    press(page, "a")
    press(page, "Tab")
    page.keyboard.type("Warn")
    press(page, "Escape")
    press(page, "w")
    page.keyboard.type("it is spam")
    press(page, "Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("Decided")
    expect(page.get_by_text(DOWN)).to_contain_text("carried out when it is back")
    expect(page.locator("#decision")).to_contain_text("Decided: warn. It is not carried out yet")
    assert (gate_status(engine, gate), case_status(engine, gate)) == ("decided", "waiting")
    with reading(engine) as session:
        assert gate_by_id(session, gate).action == "warn"
        assert list_effects(session) == []

    stack.start()
    expect(page.get_by_text("What was decided here has been carried out.")).to_be_visible()
    assert case_status(engine, gate) == "closed"
    until(lambda: stack.ask(lambda: state_of(run)) == "Completed")
    page.reload()
    expect(page.locator("#decision")).to_contain_text("the last action was warn")
    expect(page.get_by_text(DOWN)).to_be_hidden()
    expect(page.get_by_text("What was decided here has been carried out.")).to_be_hidden()
    page.goto(f"{url}/cases/{case_of(engine, other)}")
    until(lambda: loaded_again(page, down=False))
    assert gate_status(engine, other) == "open"
    told = Counter(history(engine, gate))
    once = ("gate.answered", "gate.decided", "gate.carried_out", "case.closed")
    assert [told[each] for each in once] == [1, 1, 1, 1]
    assert told["effect.sent"] == 2
    with reading(engine) as session:
        assert gate_by_id(session, gate).flow_run_id == run
        effects = [(row.key, row.status, row.attempts) for row in list_effects(session)]
    assert effects == [
        (f"reply:{gate}:desk", "sent", 1),
        (f"set_status:{gate}:desk", "sent", 1),
    ]
