"""Make the pictures in the documentation: ``make screenshots``.

Runs the demonstration in a folder of its own, serves the console over what it leaves, and takes
pictures of it with the Chromium that is installed. ``--home`` names a folder where the
demonstration has run already.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright
from sqlalchemy import Engine

from casework.health.charts import charts
from casework.health.regions import region_of
from casework.health.report import summary
from casework.ledger.entries import Provenance
from casework.policy.bundle import load_bundle
from casework.settings import Settings
from casework.store.accounts import make_link
from casework.store.engine import open_engine, transaction
from casework.store.health.reports import read_health
from casework.store.health.taking import keep_snapshot, take_stock
from casework.store.people import add_person
from casework.store.tables import Person
from deployments.console import compose

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
BY = Provenance(actor="docs:screenshots", code_version="docs")
PERSON = "sam"

#: Whose first case is shown.
QUEUE = "account_security"

#: Colours and widths; the first is what the pages show.
LOOKS = (("light", 1280), ("light", 390), ("dark", 1280), ("dark", 390))

#: What else is shown, beside a case.
PAGES = {"home": "/", "boards": "/leads"}

#: Pixels: the top of a page is enough where rows go on alike; small pictures load fast.
TOP = 480

#: Of these the documentation shows the first look too.
SHOWN = {"clocks": "/leads/clocks", "health": "/leads/health", "audit": "/audit"}


def main() -> None:
    """Make every picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, help="where the demonstration has run already")
    parser.add_argument("--all", action="store_true", help="every page, dark and narrow too")
    parser.add_argument("--out", type=Path, default=IMAGES, help="where the pictures go")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as made:
        home = given.home or Path(made)
        if given.home is None:
            command = [str(Path(sys.executable).with_name("casework")), "demo"]
            subprocess.run(command, env={**os.environ, "CASEWORK_HOME": str(home)}, check=True)
        take_all(Settings(home=home), given.out, everything=given.all)


def take_all(settings: Settings, out: Path, *, everything: bool) -> None:
    """Serve the console over a store, and take the pictures that the pages show, or all."""
    engine = open_engine(settings.store_url)
    introduce(engine)
    look_at_health(settings, engine)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with served(settings, engine) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for scheme, width in LOOKS if everything else LOOKS[:1]:
            page = signed_in(browser, engine, url, width, scheme)
            walk(page, url, out, f"{scheme}-{width}", SHOWN | PAGES if everything else SHOWN)
        browser.close()
    engine.dispose()


def introduce(engine: Engine) -> None:
    """Add a senior who leads and audits, so that one person sees every page."""
    roles, now = ["senior", "lead", "auditor"], datetime.now(UTC)
    with transaction(engine) as session:
        if session.get(Person, PERSON) is None:
            add_person(session, PERSON, name="Sam", roles=roles, queues=["*"], by=BY, now=now)


def look_at_health(settings: Settings, engine: Engine) -> None:
    """Keep how the work goes, as the flow does every hour."""
    bundle, now = load_bundle(settings.bundle_dir), datetime.now(UTC)
    region = region_of(bundle, settings.health_region)
    take_stock(engine, bundle, region, BY, now)
    with transaction(engine) as session:
        found = read_health(session, region, now)
        keep_snapshot(session, summary(found), charts(found), now)


def signed_in(browser: Browser, engine: Engine, url: str, width: int, scheme: str) -> Page:
    """A page in which somebody has signed in."""
    now = datetime.now(UTC)
    with transaction(engine) as session:
        secret = make_link(session, PERSON, BY, now)
    viewport = {"width": width, "height": 860}
    page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{url}/sign-in/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Your queues").wait_for()
    return page


def walk(page: Page, url: str, out: Path, called: str, others: Mapping[str, str]) -> None:
    """Claim a case and take a picture of it, and then of other pages."""
    page.goto(f"{url}/queues/{QUEUE}")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("#claim").wait_for()
    if page.get_by_role("button", name="Claim it").count():
        page.keyboard.press("c")
        page.get_by_text("You have it").wait_for()
    page.screenshot(path=out / f"case-{called}.png")
    width = page.evaluate("innerWidth")
    top: FloatRect = {"x": 0, "y": 0, "width": width, "height": TOP}
    for name, path in others.items():
        page.goto(url + path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out / f"{name}-{called}.png", clip=top if name in SHOWN else None)


@contextmanager
def served(settings: Settings, engine: Engine) -> Iterator[str]:
    """The console, listening on a free port of this machine."""
    app = compose(settings, engine, secure=False)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
