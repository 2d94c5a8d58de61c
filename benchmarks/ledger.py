"""The ledger at a million entries: append, seal and verify, on SQLite in one process."""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from casework.ledger.checkpoint import Signer
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.audit import verify
from casework.store.engine import open_engine, transaction
from casework.store.ledger import append
from casework.store.schema import upgrade
from casework.store.sealing import seal

ENTRIES: Final = 1_000_000
BATCH: Final = 5_000
EACH: Final = 2  # entries of one case: opened, decided
NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RUN: Final = "0d2a7c0e-7a51-4ad9-b1ff-6aa5e1a6ea55"
BY: Final = Provenance("casework:intake", "machine", "0.1.0+3f1c09aa72de", RUN, RUN)


def run(entries: int = ENTRIES) -> list[dict[str, Any]]:
    """Measure each step; rates are entries a second."""
    signer = Signer("casework.example/ledger", Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'casework.db'}")
        upgrade(engine)
        appended = sum(_append(engine, action, entries // EACH) for action in _ACTIONS)
        sealed = _timed(lambda: seal(engine, signer, NOW))
        verified = _timed(lambda: _verify(engine, signer))
        engine.dispose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        _row("ledger: append, entries/s", entries / appended),
        _row("ledger: seal, entries/s", entries / sealed),
        _row("ledger: verify, entries/s", entries / verified),
        _row("ledger: peak memory of the process", memory, "MB"),
    ]


_ACTIONS: Final = (Action.CASE_OPENED, Action.CASE_DECIDED)


def _append(engine: Engine, action: Action, cases: int) -> float:
    """Append one entry for each case, in batches; making the drafts is not counted."""
    spent = 0.0
    for start in range(0, cases, BATCH):
        drafts = [_draft(number, action) for number in range(start, min(start + BATCH, cases))]
        began = time.perf_counter()
        with transaction(engine) as session:
            append(session, drafts, BY, NOW)
        spent += time.perf_counter() - began
    return spent


def _draft(number: int, action: Action) -> Draft:
    digest = sha256(b"%d" % number).hexdigest()
    data = {
        "source": "zendesk",
        "external_id": str(number),
        "content_digest": digest,
        "intake_id": "i0d2a7c0e",
    }
    return Draft(f"c{digest[:20]}", action, data, 1, digest, digest)


def _verify(engine: Engine, signer: Signer) -> None:
    fault = verify(engine, signer.verifier, allow_unsealed=False).fault
    if fault is not None:
        raise RuntimeError(str(fault))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _row(figure: str, value: float, unit: str = "1/s") -> dict[str, Any]:
    return {"figure": figure, "value": round(value), "unit": unit, "limit": None, "peer": None}


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(run(), option=orjson.OPT_INDENT_2) + b"\n")
