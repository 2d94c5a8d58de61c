"""A browser, and people who have signed in to the console at ``url``, over ``engine``."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine

from casework.store.accounts import make_link
from casework.store.engine import transaction
from tests.deployments.browsing import CHROMIUM, FLAGS, Open
from tests.factories.gates import BY


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests; each has contexts of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def sign_in(browser: Browser, engine: Engine, url: str) -> Iterator[Open]:
    """Opens a page in which somebody has signed in by link; no page may write an error."""
    faults: list[str] = []
    contexts = []

    def page_of(person: str, **options: Any) -> Page:
        with transaction(engine) as session:
            secret = make_link(session, person, BY, datetime.now(UTC))
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(f"{url}/sign-in/{secret}")
        page.get_by_role("button", name="Sign in").press("Enter")
        expect(page.get_by_role("heading", name="Your queues")).to_be_visible()
        page.wait_for_load_state()  # keys work once the script has run
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert [fault for fault in faults if "409" not in fault and "403" not in fault] == []
