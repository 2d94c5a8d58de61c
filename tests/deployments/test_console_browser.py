"""The console in a real browser: work by keyboard, two people, stale evidence, accessibility."""

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine

from casework.console.app import create_app
from casework.store.accounts import end_sessions, set_password
from casework.store.assignment import claim, release
from casework.store.engine import open_engine, transaction
from casework.store.gates import gate_by_id
from casework.store.people import change_person
from tests.deployments.browsing import IN_A_BROWSER, Open, approve, press
from tests.factories.consoles import console_of
from tests.factories.escalation import person, timed_case
from tests.factories.gates import BY, NOW, add_people, waiting_case
from tests.factories.intake import rows_file, taken_in
from tests.factories.playbooks import asking_case

PASSWORD = "correct horse battery"

pytestmark = IN_A_BROWSER


@pytest.fixture
def engine(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """A store with people who can sign in."""
    path = tmp_path / "casework.db"
    shutil.copyfile(migrated_sqlite, path)
    engine = open_engine(f"sqlite:///{path}")
    add_people(engine)
    with transaction(engine) as session:
        set_password(session, "ana", PASSWORD, BY, datetime.now(UTC))
    yield engine
    engine.dispose()


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    """A console that listens."""

    app = create_app(console_of(engine, lambda: datetime.now(UTC)))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def status(engine: Engine, gate: str) -> str:
    with transaction(engine) as session:
        return gate_by_id(session, gate).status


def test_a_password_signs_in(browser: Browser, url: str) -> None:
    page = browser.new_page()
    page.goto(url)
    expect(page.get_by_label("Your id")).to_be_focused()
    page.keyboard.type("ana")
    press(page, "Tab")
    page.keyboard.type("not the password")
    press(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    expect(page.get_by_label("Your id")).to_have_value("ana")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Your queues")).to_be_visible()
    page.close()


def test_three_cases_are_worked_by_keyboard_alone(sign_in: Open, engine: Engine) -> None:
    gates = [waiting_case(engine, f"T-{n}", severity=f"P{n}") for n in range(3)]
    page = sign_in("ana")
    for n, gate in enumerate(gates):
        press(page, "n")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"test:T-{n}")
        approve(page)
        expect(page.get_by_role("status")).to_contain_text("Decided")
        assert status(engine, gate) == "decided"
    press(page, "n")
    expect(page.get_by_role("status")).to_contain_text("Nothing waits for you")


def test_a_case_is_claimed_given_back_and_lost_by_keyboard(sign_in: Open, engine: Engine) -> None:
    gate = waiting_case(engine, "T-1")
    page = sign_in("ana")
    press(page, "n")
    expect(page.locator("#holder")).to_contain_text("You have it until")
    press(page, "u")
    expect(page.get_by_role("status")).to_contain_text("Given back")
    press(page, "c")
    expect(page.locator("#holder")).to_contain_text("You have it until")
    with transaction(engine) as session:
        release(session, gate, person("ana"), datetime.now(UTC))
    page.evaluate("renew()")
    expect(page.locator("#holder")).to_have_text("You do not have this case any more.")


def test_lists_are_walked_by_keyboard(sign_in: Open, engine: Engine) -> None:
    for n in range(3):
        waiting_case(engine, f"T-{n}", severity=f"P{n}")
    page = sign_in("ana")
    press(page, "j")
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("General")
    for key in ("j", "j", "k", "j"):
        press(page, key)
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("test:T-1")
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("next case")


def test_two_people_approve_and_one_alone_cannot(sign_in: Open, engine: Engine) -> None:
    gate = waiting_case(engine, "T-1", queue="legal")
    lea, leo = sign_in("lea"), sign_in("leo")
    press(lea, "n")
    approve(lea, "it is lawful")
    expect(lea.get_by_role("status")).to_contain_text("Somebody else")
    approve(lea, "once more")
    expect(lea.get_by_role("alert")).to_contain_text("has answered at this gate already")
    assert status(engine, gate) == "open"
    press(leo, "n")
    expect(leo.locator("#decision")).to_contain_text("it is lawful")
    approve(leo, "I agree")
    assert status(engine, gate) == "decided"


def test_who_asked_for_a_decision_may_not_take_it(sign_in: Open, engine: Engine) -> None:
    gate = waiting_case(engine, "T-1")
    with transaction(engine) as session:
        gate_by_id(session, gate).requested_by = "ana"
    page = sign_in("ana")
    page.goto(page.url + "cases/" + "c" + gate[1:].split("-")[0])
    approve(page)
    expect(page.get_by_role("alert")).to_contain_text("who asked for this decision")
    expect(page.get_by_label("Why")).to_have_value("read it")
    assert status(engine, gate) == "open"


def test_stale_evidence_is_refused_and_says_so(sign_in: Open, engine: Engine) -> None:
    gate = waiting_case(engine, "T-1")
    page = sign_in("ana")
    press(page, "n")
    expect(page.locator("#answer")).to_be_visible()
    with transaction(engine) as session:
        gate_by_id(session, gate).evidence_digest = "f" * 64
    approve(page)
    expect(page.get_by_role("alert")).to_contain_text("look again")
    assert status(engine, gate) == "open"


def test_a_playbook_is_followed_by_keyboard_and_what_is_written_stays(
    sign_in: Open, engine: Engine
) -> None:
    asking_case(engine, "T-1")
    page = sign_in("ana")
    page.keyboard.press("n")
    page.locator("#reveal").wait_for()
    page.keyboard.press("v")
    expect(page.locator("#answer")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("w")
    page.keyboard.type("half a sentence")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="A threat")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Is life in danger now?")).to_be_visible()
    expect(page.get_by_label("Why")).to_have_value("half a sentence")
    page.get_by_label("approve").press("Enter")
    expect(page.get_by_text("required")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("not answered yet: Is life in danger now?")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page).to_have_url(re.compile("/cases/c[0-9a-f]+$"))
    page.reload()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("link", name="Your day").click()
    page.go_back()
    expect(page.locator("#reveal")).to_be_visible()


def test_an_open_page_says_that_it_is_old_and_an_idle_one_is_blank(
    sign_in: Open, engine: Engine
) -> None:
    gate = waiting_case(engine, "T-1")
    page = sign_in("ana")
    page.goto(page.url + "cases/c" + gate[1:].split("-")[0])
    expect(page.get_by_text("Who has this case has changed.")).to_be_hidden()
    with transaction(engine) as session:
        claim(session, gate, timedelta(minutes=5), person("ben"), datetime.now(UTC))
    expect(page.get_by_text("Who has this case has changed.")).to_be_visible()
    page.evaluate("hide()")
    for key in ("h", "a", "?"):
        page.keyboard.press(key)
    assert "cases" in page.url
    assert page.locator("body").inner_text().split() == [
        *("Covered,", "for", "nothing", "was", "done", "for", "a", "while.", "Show", "the", "page")
    ]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("test:T-1")
    page.evaluate("hide()")
    with transaction(engine) as session:
        end_sessions(session, "ana", BY, datetime.now(UTC))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your id")).to_be_visible()


def test_a_session_that_ends_covers_the_page_and_keeps_what_was_written(
    sign_in: Open, engine: Engine
) -> None:
    waiting_case(engine, "T-1")
    page = sign_in("ana")
    press(page, "n")
    expect(page.get_by_text("body of T-1")).to_be_visible()
    press(page, "w")
    page.keyboard.type("half a sentence")
    with transaction(engine) as session:
        end_sessions(session, "ana", BY, datetime.now(UTC))
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    assert "body of T-1" not in page.content()
    assert page.locator("#written").is_hidden()
    for key in ("h", "?", "n"):
        page.keyboard.press(key)
    page.get_by_text("What you wrote was not sent").click()
    expect(page.locator("#written")).to_be_visible()
    expect(page.locator("#written")).to_have_value("half a sentence")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in").click()
    expect(opened.value.get_by_label("Your id")).to_be_visible()
    expect(page.locator("#written")).to_have_value("half a sentence")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_accessibility(
    sign_in: Open, engine: Engine, tmp_path: Path, width: int, scheme: str
) -> None:
    waiting_case(engine, "T-1")
    timed_case(engine, "T-2")
    taken_in(engine, rows_file(tmp_path / "rows.jsonl", b"broken"))
    with transaction(engine) as session:
        change_person(session, "ana", roles=["analyst", "lead", "auditor"], by=BY, now=NOW)
    page = sign_in("ana", viewport={"width": width, "height": 900}, color_scheme=scheme)
    root = page.url
    pages = (
        "",
        "queues/general",
        "leads",
        "leads/clocks",
        "leads/quarantine",
        "leads/policy",
        "audit",
        "day",
        "tokens",
        "cases",
    )
    for path in pages:
        if path == "cases":
            press(page, "n")
            expect(page.locator("#answer")).to_be_visible()
        else:
            page.goto(root + path)
        for closed in page.locator("main td details").all():
            closed.locator("summary").click()
        found = Axe().run(page).response["violations"]
        serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
        assert serious == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways"
