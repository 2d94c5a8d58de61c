"""A whole intake, from a file to opened cases, batch by batch; nothing of it needs Prefect."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from casework.errors import RowFault, StoreError
from casework.intake import Counts
from casework.ledger.entries import Provenance
from casework.mapping import Mapping, identity, maker
from casework.mapping.apply import Make
from casework.memory import fewer_collections
from casework.rows import BadRow, Row, open_rows, refused
from casework.store.engine import transaction
from casework.store.intake import (
    Incoming,
    counts_of,
    finish_intake,
    record_batch,
    start_intake,
)

#: Bytes of rows in one batch at the most, so that a file of long rows fits in memory too.
_BATCH_BYTES: Final = 16 * 1024 * 1024

#: PostgreSQL: serialization failure, deadlock.
_RACES: Final = frozenset({"40001", "40P01"})


def run_intake(
    engine: Engine,
    path: str | Path,
    intake_id: str,
    by: Provenance,
    clock: Callable[[], datetime],
    *,
    mapping: Mapping | None = None,
    source: str | None = None,
    batch_size: int = 5000,
    progress: Callable[[Counts], None] | None = None,
) -> Counts:
    """Read a file and record what it holds, one transaction for each batch.

    An intake that was stopped goes on after the last batch it recorded; one that is finished is
    left alone and its counts are returned again. The file must be the same one as before.

    Raises:
        InputError: the file cannot be read at all.
        Conflict: somebody else is reading the same intake, or began it with another mapping.
        StoreError: the database does not answer.
    """
    chosen = mapping or identity()
    make = maker(chosen)
    options = chosen.csv
    with open_rows(
        path, format=chosen.format, delimiter=options.delimiter, columns=options.columns
    ) as opened:
        named = source or chosen.source or source_of(path)
        incoming = Incoming(intake_id, named, chosen, opened.layout)
        with transaction(engine) as session:
            intake = start_intake(session, incoming, Path(path).name, by, clock())
            counts = counts_of(intake)
        if intake.status == "finished":
            return counts
        rows = islice(opened.rows, counts.received, None)
        with fewer_collections():
            for batch in weighed(rows, batch_size):
                counts += _record(engine, incoming, batch, make, counts.received, by, clock())
                if progress:
                    progress(counts)
    with transaction(engine) as session:
        return counts_of(finish_intake(session, intake_id, by, clock()))


def source_of(path: str | Path) -> str:
    """The name of a source where nobody gives one: the file's, without its endings."""
    name = Path(path).name.split(".")[0]
    return name[:64] if name and name != "-" else "stdin"


def weighed(rows: Iterable[Row | BadRow], size: int) -> Iterator[list[Row | BadRow]]:
    """Cut rows into batches of a number of rows and of bytes, whichever comes first."""
    batch: list[Row | BadRow] = []
    weight = 0
    for row in rows:
        batch.append(row)
        weight += len(row.raw)
        if len(batch) >= size or weight >= _BATCH_BYTES:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _record(
    engine: Engine,
    incoming: Incoming,
    batch: Iterable[Row | BadRow],
    make: Make,
    after: int,
    by: Provenance,
    now: datetime,
) -> Counts:
    items, faults = [], []
    for row in batch:
        if isinstance(row, BadRow):
            faults.append(row)
            continue
        try:
            items.append((row.line, make(row.record)))
        except RowFault as fault:
            faults.append(refused(row.line, row.raw, fault))
    for attempt in _patiently():
        with attempt, transaction(engine) as session:
            return record_batch(session, incoming, items, faults, by, now, after=after)
    raise StoreError("the store is too busy", hint="try again")


def _patiently() -> Retrying:
    return Retrying(
        retry=retry_if_exception(_lost_a_race),
        stop=stop_after_attempt(6),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        reraise=True,
    )


def _lost_a_race(error: BaseException) -> bool:
    original: Any = getattr(error.__cause__, "orig", None)
    return isinstance(error, StoreError) and (
        getattr(original, "sqlstate", None) in _RACES or "locked" in error.message
    )
