"""The escalation sweep over 100,000 open clocks on SQLite, in one process.

Fifty thousand cases wait at gates, each under two clocks of the default bundle, opened through the
intake itself in five parts: one on Monday, the others on Tuesday. A sweep is what the flow does
every minute, without Prefect around it: orphans are looked for, claims and holds run out, and the
steps that are due are taken, with their entries and what they send.
"""

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, func, select
from sqlmodel import col

from benchmarks.table import row
from casework.ledger.entries import Provenance
from casework.settings import load_settings
from casework.store.engine import open_engine, reading
from casework.store.intake_run import run_intake
from casework.store.schema import upgrade
from casework.store.tables import Clock, QueuedEffect
from tasks.context import Context
from tasks.escalation import sweep
from tasks.providers import straight_through

PARTS: Final = 5
GATES: Final = 10_000  # opened in each part
MONDAY: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TUESDAY: Final = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)

#: The first part has missed its first touch; nothing else is due.
QUIET: Final = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
#: All the others have missed theirs too.
MISSED: Final = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
#: The first part is reminded of its decision.
BUSY: Final = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)

BY: Final = Provenance(actor="casework:bench", code_version="bench")


def run() -> list[dict[str, Any]]:
    """Measure; rows of figure, value, unit, limit and peer."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CASEWORK_HOME"] = folder
        engine = open_engine(load_settings().store_url)
        upgrade(engine)
        try:
            return _measure(engine, Path(folder))
        finally:
            engine.dispose()
            del os.environ["CASEWORK_HOME"]


def _measure(engine: Engine, folder: Path) -> list[dict[str, Any]]:
    for part in range(PARTS):
        _open(engine, folder, part)
    clocks = _count(engine, Clock)
    assert clocks == 2 * PARTS * GATES
    _, misses, _ = _timed(engine, QUIET)
    nothing, quiet, _ = _timed(engine, QUIET)
    assert not nothing
    _timed(engine, MISSED)
    steps, busy, work = _timed(engine, BUSY)
    assert steps["remind"] == _count(engine, QueuedEffect) == GATES
    name = f"escalation: sweep of {clocks:,} open clocks"
    return [
        row(f"{name}, none due", round(quiet, 2), "s", "< 5"),
        row(f"{name}, {GATES:,} missed", round(misses, 2), "s", "< 5"),
        row(f"{name}, {GATES:,} steps due", round(busy, 2), "s", "< 5"),
        row(f"{name}, {GATES:,} steps due", round(work, 2), "s of CPU"),
    ]


def _open(engine: Engine, folder: Path, part: int) -> None:
    """Take in cases that no rule decides; each opens a gate."""
    tickets = folder / f"{part}.jsonl"
    with tickets.open("w") as file:
        for number in range(GATES):
            ticket = {"external_id": f"{part}-{number}", "body": f"A question, number {number}."}
            file.write(json.dumps(ticket) + "\n")
    at = MONDAY if part == 0 else TUESDAY
    through = straight_through(load_settings(), engine)
    run_intake(engine, tickets, f"i{part}", BY, lambda: at, source="bench", through=through)


def _timed(engine: Engine, now: datetime) -> tuple[dict[str, int], float, float]:
    """Sweep; return what was done, the seconds that passed, and those this process worked."""
    began, worked = time.perf_counter(), time.process_time()
    counts = sweep(Context(load_settings(), engine, BY, now))
    return dict(counts), time.perf_counter() - began, time.process_time() - worked


def _count(engine: Engine, table: Any) -> int:
    with reading(engine) as session:
        return session.scalars(select(func.count(col(next(iter(table.__table__.c)))))).one()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(), indent=2) + "\n")
