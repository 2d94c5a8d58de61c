"""Signals from the store: the record of a case's subject and of its reporter.

That no subject or reporter is named is no gap in what we know: the store holds no case about
nobody, and the counts are zero. Were they unknown, every rule that reads one would stay undecided
for each case without a subject, and no machine could close it.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from casework.cases import Evidence, Reading
from casework.store.engine import reading
from casework.store.history import Record, records

SIGNALS: Final = (
    "subject_cases_total",
    "subject_cases_90d",
    "subject_actions_90d",
    "reporter_cases_90d",
    "reporter_upheld_90d",
)


class HistoryProvider:
    """Counts over the cases received before the one in question, whatever their source."""

    name = "history"
    version = "1"
    signals: Sequence[str] = SIGNALS

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def read(self, evidence: Sequence[Evidence]) -> Sequence[Reading]:
        """Read the signals of a batch, on another thread."""
        return await asyncio.to_thread(self.read_now, evidence)

    def read_now(self, evidence: Sequence[Evidence]) -> list[Reading]:
        """Read the signals of a batch; cases with the same counts share one reading."""
        began = perf_counter()
        with reading(self._engine) as session:
            return self._readings(records(session, evidence), began)

    def read_within(self, session: Session, evidence: Sequence[Evidence]) -> list[Reading]:
        """Read the signals of cases that a transaction is about to open, from within it."""
        began = perf_counter()
        return self._readings(records(session, evidence, arriving=True), began)

    def _readings(self, found_records: Sequence[Record], began: float) -> list[Reading]:
        found = list(map(_values, found_records))
        latency = round((perf_counter() - began) * 1000)
        made: dict[tuple[int, ...], Reading] = {}
        for key in found:
            if key not in made:
                values = dict(zip(SIGNALS, key, strict=True))
                made[key] = Reading(self.name, self.version, values, latency_ms=latency)
        return [made[key] for key in found]


def _values(record: Record) -> tuple[int, ...]:
    subject, reporter = record
    return (*subject, *reporter[1:])
