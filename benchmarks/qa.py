"""Drawing a QA sample from a million decisions on closed cases, on SQLite in one process."""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from benchmarks.table import row
from casework.qa.plans import Plan
from casework.qa.population import population_digest
from casework.qa.sampling import draw
from casework.store.bulk import insert_rows, stored_time
from casework.store.engine import open_engine, reading, transaction
from casework.store.outcomes import DECISION
from casework.store.qa.population import read_frame, window_of
from casework.store.schema import upgrade

DECISIONS: Final = 1_000_000
BATCH: Final = 50_000
BEGAN: Final = datetime(2026, 3, 2, tzinfo=UTC)
QUEUES: Final = ("trust_safety", "fraud", "legal", "appeals")
LIMIT: Final = 5.0
PEER: Final = "the driver reads the same rows"


def run(decisions: int = DECISIONS) -> list[dict[str, Any]]:
    """Measure from the plan to the sample and both digests; making the decisions is not counted."""
    plan = Plan.model_validate(
        {
            "title": "Everything",
            "window_days": 30,
            "strata": ["decider", "queue", "rule"],
            "allocation": {"size": 1000},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'casework.db'}")
        upgrade(engine)
        _decide(engine, decisions)
        began, spent = time.perf_counter(), time.process_time()
        with reading(engine) as session:
            frame = read_frame(session, plan, window_of(plan, BEGAN + timedelta(days=30)))
        sample = draw(plan, frame.population, frame.tenures, "bench")
        population_digest(frame.population)
        elapsed, spent = time.perf_counter() - began, time.process_time() - spent
        peer = _read_alone(engine)
        engine.dispose()
    size = sum(stratum.population for stratum in sample.strata)
    return [
        row("qa: seconds to draw a sample", round(elapsed, 2), "s", f"< {LIMIT:.0f}"),
        row("qa: processor time of it", round(spent, 2), "s"),
        row("qa: processor time of the peer", round(peer, 2), "s", peer=PEER),
        row("qa: ratio to the peer", round(spent / peer, 1), "x", peer=PEER),
        row("qa: decisions it was drawn from", size, "decisions"),
        row("qa: decisions drawn", len(sample.drawn), "decisions"),
    ]


def _read_alone(engine: Engine) -> float:
    """Processor time in which the driver reads what the sample needs, and does nothing else."""
    with reading(engine) as session:
        began = time.process_time()
        statement = "SELECT id, queue, rule_id FROM decisions"
        found = session.connection().exec_driver_sql(statement).cursor
        if found is None or len(found.fetchall()) == 0:
            raise RuntimeError("there is nothing to read")
        return time.process_time() - began


def _decide(engine: Engine, decisions: int) -> None:
    """Machine decisions in the order of their time, one in ten handed to a partner."""
    step = timedelta(days=29) / decisions
    for start in range(0, decisions, BATCH):
        with transaction(engine) as session:
            rows = [
                _decision(number, stored_time(session, BEGAN + number * step))
                for number in range(start, min(start + BATCH, decisions))
            ]
            insert_rows(session, "decisions", DECISION, rows)


def _decision(number: int, at: Any) -> tuple[Any, ...]:
    name = sha256(b"%d" % number).hexdigest()
    handed = number % 10 == 0
    route, queue = ("escalate", QUEUES[number % 4]) if handed else ("close", None)
    decided = ("policy", "machine", route, "close_no_action", "P4", queue, f"rule_{number % 40}")
    reason = (None, "A bounce or an automatic reply.", "[]", name, "0.1.0+3f1c09aa72de", None, at)
    return (name[:32], f"c{name[:20]}", 1, name, None, *decided, *reason)
