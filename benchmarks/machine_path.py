"""The machine path: a file of tickets to closed cases with their history, on SQLite, one process.

Validate, open, patterns and history, decide, record: the functions that the flows call, without
Prefect around them. The peer is ``executemany`` of the same rows into the same tables, read back
from the finished store, in the same run.
"""

import asyncio
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.table import row

TICKETS: Final = 200_000
SMALL: Final = 50_000

#: What the cases are made of, and what is added to them, in the order of their references.
TABLES: Final = (
    "cases",
    "case_revisions",
    "signal_readings",
    "decisions",
    "gates",
    "clocks",
    "ledger_entries",
)


def run(tickets: int = TICKETS) -> list[dict[str, Any]]:
    """Measure in processes of their own; rows of figure, value, unit, limit and peer."""
    with tempfile.TemporaryDirectory() as folder:
        small = _child(Path(folder) / "small", SMALL)
        whole = _child(Path(folder) / "whole", tickets)
        raw = _raw(Path(folder) / "whole", tickets)
    peer = "executemany of the same rows"
    return [
        row("machine path: cases a second", round(whole["rate"]), "cases/s", ">= 8,000"),
        row("machine path: closed by machine", whole["closed"], f"of {tickets:,}"),
        row("machine path: peak memory", whole["memory"], "MB", "< 600"),
        row(f"machine path: peak memory at {SMALL:,}", small["memory"], "MB"),
        row("machine path: the peer", round(raw), "cases/s", "", peer),
        row("machine path: ratio to the peer", round(whole["rate"] / raw, 2), "x", "", peer),
    ]


def _child(folder: Path, tickets: int) -> dict[str, Any]:
    folder.mkdir()
    _write(folder / "tickets.jsonl", tickets)
    command = [sys.executable, "-m", "benchmarks.machine_path", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def measure(folder: Path) -> dict[str, Any]:
    """Take the file in a folder all the way; the rate counts everything after the imports."""
    os.environ["CASEWORK_HOME"] = str(folder)
    from casework.ledger.entries import Provenance
    from casework.settings import load_settings
    from casework.store.engine import open_engine, reading
    from casework.store.schema import upgrade

    # Prefect and what hangs on it: the path itself imports nothing any more.
    from tasks import context, enrichment, providers, risk_review  # noqa: F401

    settings = load_settings()
    engine = open_engine(settings.store_url)
    upgrade(engine)
    by = Provenance(actor="casework:bench", code_version="bench")
    began = time.perf_counter()
    received = asyncio.run(_take(engine, settings, folder / "tickets.jsonl", by))
    took = time.perf_counter() - began
    with reading(engine) as session:
        from casework.store.cases import count_by

        closed = sum(r["cases"] for r in count_by(session, "status") if r["status"] == "closed")
    return {"rate": received / took, "closed": closed, "memory": _peak_memory()}


def _peak_memory() -> int:
    """Megabytes this process has held at the most.

    Not ``ru_maxrss`` where there is better: a child starts with its parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def _take(engine: Any, settings: Any, path: Path, by: Any) -> int:
    from datetime import UTC, datetime

    from casework.store.intake_run import run_intake
    from tasks.context import surroundings
    from tasks.enrichment import enrich
    from tasks.providers import crew_of, straight_through
    from tasks.risk_review import adopt_policy, decide_batch

    through = straight_through(settings, engine)
    counts = run_intake(engine, path, "ibench", by, lambda: datetime.now(UTC), through=through)
    async with crew_of(settings, engine) as crew:
        cursor = None
        while (page := await enrich(surroundings("bench"), crew, "ibench", cursor)).read:
            cursor = page.after
    policy, after = await adopt_policy.fn(), None
    while (batch := await decide_batch.fn(policy, "ibench", after))["after"]:
        after = tuple(batch["after"])
    return counts.received


def _write(path: Path, tickets: int) -> None:
    """Tickets of some 300 characters, nine in ten of them spam, from many subjects."""
    chance = random.Random(7)
    words = ["market", "river", "stone", "lantern", "garden", "paper", "window", "copper"]
    with path.open("w") as file:
        for number in range(tickets):
            filler = " ".join(chance.choices(words, k=36))
            spam = "Get your casino bonus and free followers today. " if number % 10 else ""
            ticket = {
                "external_id": f"B-{number}",
                "received_at": f"2026-03-{1 + number % 28:02}T{number % 24:02}:00:00Z",
                "title": f"Ticket {number}",
                "body": spam + filler,
                "channel": "web",
                "language": "en",
                "subject_id": f"s{chance.randrange(tickets // 4)}",
                "reporter_id": f"r{chance.randrange(tickets // 4)}",
            }
            file.write(json.dumps(ticket) + "\n")


def _raw(folder: Path, tickets: int) -> float:
    """Insert the same rows into an empty store of the same schema; cases a second."""
    from casework.store.engine import open_engine
    from casework.store.schema import upgrade

    url = f"sqlite:///{folder / 'raw.db'}"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    source = sqlite3.connect(folder / "casework.db")
    rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    target = sqlite3.connect(folder / "raw.db")
    target.execute("PRAGMA synchronous=NORMAL")
    target.execute("PRAGMA cache_size=-65536")
    began = time.perf_counter()
    for table, values in rows.items():
        marks = ",".join("?" * len(values[0])) if values else ""
        for start in range(0, len(values), 5000):
            target.executemany(
                f"INSERT INTO {table} VALUES ({marks})", values[start : start + 5000]
            )
            target.commit()
    return tickets / (time.perf_counter() - began)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure(Path(sys.argv[1]))))
    else:
        sys.stdout.write(json.dumps(run(), indent=2) + "\n")
