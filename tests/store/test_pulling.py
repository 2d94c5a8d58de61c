"""Pulling in the store: the cursor moves with the rows it stands behind, or not at all."""

import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from casework.cases import case_id
from casework.errors import Conflict
from casework.intake import Counts
from casework.ledger.entries import SYSTEM
from casework.mapping import identity
from casework.ports import Page
from casework.store.engine import open_engine, reading, transaction
from casework.store.incoming import Incoming
from casework.store.pulling import cursor_of, record_page
from casework.store.tables import Case, Intake, LedgerEntry, PullCursor, Quarantined
from tests.factories.intake import BY, NOW, actions_in, number_of, row
from tests.source import ROOT

#: Another process, which pulls a source of so many items in pages of ten.
PULLER = """
import sys
from casework.mapping import identity
from casework.ports import Page
from casework.store.engine import open_engine, reading
from casework.store.incoming import Incoming
from casework.store.pulling import cursor_of, record_page
from tests.factories.intake import BY, NOW, row

url, intake, number = sys.argv[1:]
engine = open_engine(url)
while True:
    with reading(engine) as session:
        before = cursor_of(session, "desk")
    first = int(before or 0)
    if first >= int(number):
        break
    page = Page([row(f"T-{n}") for n in range(first, first + 10)], str(first + 10), False)
    record_page(engine, Incoming(intake, "desk", identity()), before, page, BY, NOW)
"""


def pulled(engine: Engine, page: Page, before: str | None = None, intake_id: str = "i1") -> Counts:
    return record_page(engine, Incoming(intake_id, "desk", identity()), before, page, BY, NOW)


def where(engine: Engine) -> str | None:
    with reading(engine) as session:
        return cursor_of(session, "desk")


def test_a_page_opens_its_cases_and_moves_the_cursor(engine: Engine) -> None:
    assert where(engine) is None
    counts = pulled(engine, Page([row("T-1"), row("T-2"), {"body": "no id"}], "a", False))
    assert counts == Counts(received=3, opened=2, quarantined=1)
    assert pulled(engine, Page([row("T-2", body="new")], "b", True), "a").revised == 1
    assert where(engine) == "b"
    assert actions_in(engine, "i1") == ["intake.started", "row.quarantined"]
    assert actions_in(engine, SYSTEM) == ["cursor.moved", "cursor.moved"]
    assert actions_in(engine, case_id("desk", "T-2")) == ["case.opened", "case.revised"]


def test_a_page_from_an_older_place_is_refused_whole(engine: Engine) -> None:
    pulled(engine, Page([row("T-1")], "a", False))
    with pytest.raises(Conflict):
        pulled(engine, Page([row("T-2")], "b", True))
    assert where(engine) == "a"
    assert number_of(engine, Case) == 1


def test_what_fails_while_a_page_is_recorded_leaves_the_cursor_where_it_was(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broke:
        broke.setattr("casework.store.intake_run.record_batch", broken)
        with pytest.raises(KeyboardInterrupt):
            pulled(engine, Page([row("T-1")], "a", True))
    assert where(engine) is None
    assert number_of(engine, Intake) == 0
    assert pulled(engine, Page([row("T-1")], "a", True)).opened == 1


def test_a_later_pull_finishes_what_a_killed_one_left_open(engine: Engine) -> None:
    pulled(engine, Page([row("T-1")], "a", False), intake_id="i1")
    pulled(engine, Page([row("T-2")], "b", True), "a", intake_id="i2")
    with reading(engine) as session:
        assert session.get_one(Intake, "i1").status == "finished"
        assert session.get_one(Intake, "i2").status == "running"
    with pytest.raises(Conflict):
        pulled(engine, Page([row("T-3")], "c", True), "a", intake_id="i1")


@given(st.lists(st.sampled_from(["recorded", "killed before", "killed after"]), max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_killed_anywhere_nothing_is_lost_and_nothing_repeated(
    engine: Engine, fates: list[str]
) -> None:
    begun = number_of(engine, Intake)
    with transaction(engine) as session:
        session.execute(delete(PullCursor))
    pages = [Page([row(f"{begun}-T-{n}")], str(n), n == 3) for n in range(4)]
    seen = Counts()
    for turn, fate in enumerate([*fates, *["recorded"] * 4]):
        cursor = where(engine)
        number = 0 if cursor is None else int(cursor) + 1
        if fate == "killed before" or number == len(pages):
            continue
        # Killed after: the page is recorded, and nobody hears of it.
        seen += pulled(engine, pages[number], cursor, intake_id=f"i{begun}-{turn}")
    assert seen == Counts(received=4, opened=4)
    assert number_of(engine, Quarantined) == 0


@pytest.mark.slow
def test_a_puller_killed_in_the_middle_is_followed_by_one_that_goes_on(store_url: str) -> None:
    engine, number, kills = open_engine(store_url), 400, 0
    for turn, wanted in enumerate((100, number)):
        command = [sys.executable, "-c", PULLER, store_url, f"i{turn}", str(number)]
        process = subprocess.Popen(command, cwd=ROOT)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if number_of(engine, Case) >= wanted < number:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.005)
        process.wait()
    assert kills
    opened = number_of(engine, LedgerEntry, LedgerEntry.action == "case.opened")
    moved = number_of(engine, LedgerEntry, LedgerEntry.action == "cursor.moved")
    assert (number_of(engine, Case), opened, moved) == (number, number, number // 10)
    engine.dispose()
