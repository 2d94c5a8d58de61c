"""Effects: queued in the outbox, and sent by one sender to the embedded record, on SQLite."""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Engine

from benchmarks.table import row
from casework.batches import in_batches
from casework.effects import Effect, EffectKind
from casework.ledger.entries import Provenance
from casework.policy.bundle import load_bundle
from casework.resources import resource
from casework.settings import Settings
from casework.store.engine import open_engine, transaction
from casework.store.outbox import enqueue
from casework.store.schema import upgrade
from tasks.effects import Sender, send

EFFECTS: Final = 2_000
BATCH: Final = 50  # no more cases at once than their writer need not hold
BY: Final = Provenance("casework:benchmark", "machine", "0.1.0")


def run(effects: int = EFFECTS) -> list[dict[str, Any]]:
    """Measure both steps."""
    bundle = load_bundle(resource("policies/default"))
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'casework.db'}")
        upgrade(engine)
        queued = _queue(engine, effects)
        sender = Sender(Settings(), engine, bundle, BY, "benchmark", patience=600.0)
        began = time.perf_counter()
        counts = asyncio.run(send(sender))
        sent = time.perf_counter() - began
        engine.dispose()
    if counts["sent"] != effects:
        raise RuntimeError(f"not everything was sent: {counts}")
    return [
        row("effects: queued", round(effects / queued), "effects/s"),
        row("effects: sent to the record by one sender", round(effects / sent, 1), "effects/s"),
    ]


def _queue(engine: Engine, effects: int) -> float:
    made = [
        Effect(f"act:g{number}:record", EffectKind.ACT, "record", f"c{number}", {"action": "warn"})
        for number in range(effects)
    ]
    began = time.perf_counter()
    for batch in in_batches(made, BATCH):
        with transaction(engine) as session:
            enqueue(session, batch, BY, datetime.now(UTC))
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(run(), option=orjson.OPT_INDENT_2) + b"\n")
