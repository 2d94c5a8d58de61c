"""Files of rows, and intakes of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, func, select

from casework.intake import Counts
from casework.ledger.entries import Provenance
from casework.mapping import Mapping
from casework.store.engine import reading
from casework.store.intake_run import run_intake
from casework.store.ledger import entries_of
from casework.store.tables import LedgerEntry

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BY = Provenance(actor="casework:test", code_version="test")


def row(external_id: str = "T-1", **more: Any) -> dict[str, Any]:
    """A row whose fields are called as in an item."""
    return {"external_id": external_id, "body": f"body of {external_id}", **more}


def rows_file(path: Path, *rows: dict[str, Any] | bytes) -> Path:
    """A JSONL file; bytes are written as they are."""
    lines = [each if isinstance(each, bytes) else orjson.dumps(each) for each in rows]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def taken_in(
    engine: Engine,
    path: Path,
    intake_id: str = "i1",
    *,
    mapping: Mapping | None = None,
    source: str = "test",
    batch_size: int = 5000,
) -> Counts:
    """Run an intake of a file at the time of the tests."""
    return run_intake(
        engine,
        path,
        intake_id,
        BY,
        lambda: NOW,
        mapping=mapping,
        source=source,
        batch_size=batch_size,
    )


def number_of(engine: Engine, table: Any, *conditions: Any) -> int:
    """How many rows a table has."""
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def actions_in(engine: Engine, chain: str) -> list[str]:
    """What happened in a chain of the ledger, oldest first."""
    with reading(engine) as session:
        return [entry.action for entry in entries_of(session, chain)]


def entry_bodies(engine: Engine) -> str:
    """Everything the ledger says."""
    with reading(engine) as session:
        return "\n".join(session.scalars(select(LedgerEntry.body)))  # type: ignore[call-overload]
