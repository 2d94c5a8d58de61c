"""A whole intake, from a file to opened cases, batch by batch; nothing of it needs Prefect."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from casework.ahead import Ahead
from casework.behind import short_turns
from casework.errors import CaseworkError, Conflict, RowFault, StoreError
from casework.intake import Counts
from casework.ledger.entries import Provenance
from casework.mapping import Mapping, identity, maker
from casework.mapping.apply import Make
from casework.memory import fewer_collections
from casework.rows import BadRow, Reading, Row, open_rows, refused
from casework.store.arrivals import Arrival, arrived
from casework.store.engine import transaction
from casework.store.incoming import Incoming
from casework.store.intake import (
    counts_of,
    fail_intake,
    finish_intake,
    record_batch,
    start_intake,
)
from casework.store.policy import adopt_bundle
from casework.store.straight import StraightThrough, do_nothing, read_ahead

#: Bytes of rows in one batch at the most, so that a file of long rows fits in memory too.
_BATCH_BYTES: Final = 16 * 1024 * 1024

log = logging.getLogger(__name__)

#: PostgreSQL: serialization failure, deadlock.
_RACES: Final = frozenset({"40001", "40P01"})


@dataclass(slots=True)
class _Batch:
    """Rows on their way into the store, and when they came."""

    now: datetime
    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[BadRow] = field(default_factory=list)
    straight: bool = False


def run_intake(
    engine: Engine,
    path: str | Path,
    intake_id: str,
    by: Provenance,
    clock: Callable[[], datetime],
    *,
    mapping: Mapping | None = None,
    source: str | None = None,
    batch_size: int = 10_000,
    progress: Callable[[Counts], None] | None = None,
    through: StraightThrough | None = None,
) -> Counts:
    """Read a file and record what it holds, one transaction for each batch.

    With ``through`` the cases that are new are enriched and decided at once.
    An intake that was stopped, or failed, goes on after the last batch it recorded; one that is
    finished is left alone and its counts are returned again. The file must be the same as before.

    Raises:
        InputError: the file cannot be read at all.
        Conflict: somebody else is reading the same intake, or began it with another mapping.
        StoreError: the database does not answer.
    """
    chosen = mapping or identity()
    with _opened(path, chosen) as opened:
        named = source or chosen.source or source_of(path)
        incoming = Incoming(intake_id, named, chosen, opened.layout)
        with transaction(engine) as session:
            intake = start_intake(session, incoming, Path(path).name, by, clock())
            if through:
                adopt_bundle(session, through.bundle, by, clock())
            counts = counts_of(intake)
        if intake.status == "finished":
            return counts
        batches = weighed(islice(opened.rows, counts.received, None), batch_size)
        make = maker(chosen)
        prepared = (_prepare(named, make, each, through, clock()) for each in batches)
        with _failing_openly(engine, intake_id, by, clock):
            for batch, go_on in _one_ahead(prepared):
                counts += _record(engine, incoming, batch, through, counts.received, by, go_on)
                if progress:
                    progress(counts)
    with transaction(engine) as session:
        return counts_of(finish_intake(session, intake_id, by, clock()))


def record_rows(
    engine: Engine,
    incoming: Incoming,
    rows: Iterable[Row | BadRow],
    by: Provenance,
    now: datetime,
    *,
    through: StraightThrough | None = None,
    first: Callable[[Session], None],
) -> Counts:
    """Record rows that come some other way than in a file, as one batch.

    ``first`` is done at the beginning of the same transaction; it begins the intake.

    Raises:
        Conflict: as ``first`` has it, or somebody else has finished the intake.
        StoreError: the database does not answer.
    """

    def begin(session: Session) -> None:
        first(session)
        if through:
            adopt_bundle(session, through.bundle, by, now)

    batch = _prepare(incoming.source, maker(incoming.mapping), rows, through, now)
    return _record(engine, incoming, batch, through, None, by, do_nothing, begin)


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


@contextmanager
def _failing_openly(
    engine: Engine, intake_id: str, by: Provenance, clock: Callable[[], datetime]
) -> Iterator[None]:
    """Mark an intake as failed where an error ends the block; the error is raised all the same."""
    try:
        yield
    except Conflict:
        raise  # somebody else reads it, and goes on
    except Exception as error:
        # A message may quote a row.
        why = error.code if isinstance(error, CaseworkError) else type(error).__name__
        try:
            with transaction(engine) as session:
                fail_intake(session, intake_id, why, by, clock())
        except StoreError:
            log.error("intake %s failed, and the store could not be told: %s", intake_id, why)
        raise


def _opened(path: str | Path, mapping: Mapping) -> AbstractContextManager[Reading]:
    layout = mapping.csv
    return open_rows(
        path, format=mapping.format, delimiter=layout.delimiter, columns=layout.columns
    )


def _one_ahead(batches: Iterator[_Batch]) -> Iterator[tuple[_Batch, Callable[[], None]]]:
    """Each batch with what begins the next one: Python is free while the database writes."""
    with fewer_collections(), short_turns(), Ahead(batches) as ahead:
        for batch in ahead:
            yield batch, ahead.start


def _prepare(
    source: str,
    make: Make,
    rows: Iterable[Row | BadRow],
    through: StraightThrough | None,
    now: datetime,
) -> _Batch:
    """Do all that can be done about some rows before the store is asked."""
    batch = _Batch(now)
    for row in rows:
        if isinstance(row, BadRow):
            batch.faults.append(row)
            continue
        try:
            item = make(row.record)
        except RowFault as fault:
            batch.faults.append(refused(row.line, row.raw, fault))
        else:
            batch.arrivals.append(arrived(source, row.line, item))
    if through and batch.arrivals:
        batch.straight = _read_ahead(through, source, batch)
    return batch


def _nothing_first(session: Session) -> None:
    """Nothing has to be done before a batch of a file: its intake was begun with the file."""


def _read_ahead(through: StraightThrough, source: str, batch: _Batch) -> bool:
    """Ask the providers ahead; False where one fails, and the batch has to take the stages."""
    try:
        read_ahead(through, source, batch.arrivals, batch.now)
    except Exception as error:
        # The message may quote what was asked about, so only the kind of error is logged.
        log.error("a provider failed: %s; the cases are enriched later", type(error).__name__)
        return False
    return True


def _record(
    engine: Engine,
    incoming: Incoming,
    batch: _Batch,
    through: StraightThrough | None,
    after: int | None,
    by: Provenance,
    writing: Callable[[], None],
    first: Callable[[Session], None] = _nothing_first,
) -> Counts:
    """Record a batch, straight through if it can be: else its new cases wait for the stages."""
    if through and batch.straight:
        try:
            return _try(engine, incoming, batch, through, after, by, writing, first)
        except CaseworkError:
            raise
        except Exception as error:
            # As above: a provider or the policy failed, and no case is lost for that.
            log.error("new cases wait for the stages: %s", type(error).__name__)
    return _try(engine, incoming, batch, None, after, by, writing, first)


def _try(
    engine: Engine,
    incoming: Incoming,
    batch: _Batch,
    through: StraightThrough | None,
    after: int | None,
    by: Provenance,
    writing: Callable[[], None],
    first: Callable[[Session], None],
) -> Counts:
    for attempt in _patiently():
        with attempt, transaction(engine) as session:
            first(session)
            return record_batch(
                session,
                incoming,
                batch.arrivals,
                batch.faults,
                by,
                batch.now,
                after=after,
                through=through,
                writing=writing,
            )
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
