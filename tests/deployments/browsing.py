"""Chromium, and working in the console by keyboard."""

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

#: The marks of a file whose tests need a browser.
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

#: Opens a page in which somebody has signed in.
Open = Callable[..., Page]

#: Milliseconds: a busy machine is slow, and no test in a browser is about speed.
expect.set_options(timeout=60_000)


def press(page: Page, key: str) -> None:
    """Press a key once the page listens for it, as nobody presses one that fast."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def approve(page: Page, why: str = "read it") -> None:
    """Answer by keyboard alone."""
    expect(page.locator("#answer")).to_be_visible()
    press(page, "a")
    press(page, "w")
    page.keyboard.type(why)
    press(page, "Control+Enter")
    expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_be_visible()
