"""Signals in the store: which cases wait for them, what was read, and answers worth keeping."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import delete, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, SQLModel, col

from casework.canonical import canonical, digest
from casework.cases import Evidence, Reading, Status
from casework.ledger.entries import Action, Draft, Provenance, Written
from casework.store.bulk import insert_rows, stored_time
from casework.store.engine import is_sqlite
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.tables import CachedReading, Case, CaseRevision

#: Characters of content after which a page ends early: bodies can be a million each.
PAGE_CHARACTERS: Final = 16_000_000

_READING: Final = (
    "case_id",
    "revision",
    "provider",
    "version",
    "known",
    "unknown",
    "latency_ms",
    "cached",
)


class Cursor(NamedTuple):
    """A place in the walk over the cases of one status."""

    intake_id: str = ""
    case_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases that wait for their signals, and where the next page starts."""

    evidence: Sequence[Evidence]
    after: Cursor


def cases_to_enrich(
    session: Session, intake_id: str | None, limit: int, after: Cursor | None = None
) -> Page:
    """Read the next page of opened cases with their newest content, of one intake or of all.

    A page holds ``limit`` cases at the most, and fewer where their content is large. An empty
    page is the end.
    """
    after = after or Cursor()
    key = tuple_(col(Case.intake_id), col(Case.id))
    statement = (
        select(
            col(Case.id),
            col(Case.intake_id),
            col(Case.revision),
            col(Case.source),
            col(Case.content_digest),
            col(Case.received_at),
            col(CaseRevision.content),
        )
        .join(
            CaseRevision,
            (col(CaseRevision.case_id) == col(Case.id))
            & (col(CaseRevision.revision) == col(Case.revision)),
        )
        .where(col(Case.status) == literal(Status.OPENED.value, literal_execute=True))
        .order_by(col(Case.intake_id), col(Case.id))
        .limit(limit)
    )
    if intake_id is None:
        statement = statement.where(key > after)
    else:
        statement = statement.where(col(Case.intake_id) == intake_id, col(Case.id) > after.case_id)
    evidence, characters = [], 0
    with session.execute(statement.execution_options(yield_per=500)) as rows:
        for row in rows:
            evidence.append(_evidence(*row))
            after = Cursor(row[1], row[0])
            characters += len(evidence[-1].body)
            if characters > PAGE_CHARACTERS:
                break
    return Page(evidence, after)


def record_readings(
    session: Session,
    evidence: Sequence[Evidence],
    readings: Sequence[Sequence[Reading]],
    by: Provenance,
    now: datetime,
) -> int:
    """Keep what the providers said, and move the cases on to the policy.

    ``readings`` holds one sequence for each provider, in the order of ``evidence``. Cases that
    have newer content by now, or are not waiting for signals any more, are left alone: whoever
    changed them sees to the rest. Returns the number of cases moved on.
    """
    current = _locked(session, [each.case_id for each in evidence])
    kept = [i for i, each in enumerate(evidence) if current.get(each.case_id) == each.revision]
    if not kept:
        return 0
    cases = [evidence[i] for i in kept]
    said = [[each[i] for i in kept] for each in readings]
    insert_readings(session, cases, said, now, keep_existing=True)
    moved = among(session, col(Case.id), [each.case_id for each in cases])
    session.execute(
        update(Case).where(moved).values(status=Status.ENRICHED.value, updated_at=now),
        execution_options={"synchronize_session": False},
    )
    append(session, enriched_drafts(cases, said), by, now)
    return len(kept)


def cached(
    session: Session, provider: str, version: str, keys: Collection[str], now: datetime
) -> dict[str, dict[str, Any]]:
    """The answers kept under some keys that have not expired."""
    if not keys:
        return {}
    rows = session.execute(
        select(col(CachedReading.key), col(CachedReading.known)).where(
            col(CachedReading.provider) == provider,
            col(CachedReading.version) == version,
            among(session, col(CachedReading.key), keys),
            col(CachedReading.expires_at) > now,
        )
    )
    return {row.key: row.known for row in rows}


def remember(
    session: Session,
    provider: str,
    version: str,
    answers: Mapping[str, Mapping[str, Any]],
    expires_at: datetime,
) -> None:
    """Keep answers by the digest of what was asked, in place of older ones.

    A cache is no part of the history: it changes what a question costs, not what happened, and
    the readings made from it say so. So this writes no ledger entry.
    """
    if not answers:
        return
    statement = _insert(session, CachedReading)
    renewed = {
        name: getattr(statement.excluded, name) for name in ("known", "unknown", "expires_at")
    }
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["provider", "version", "key"], set_=renewed
        ),
        [
            {
                "provider": provider,
                "version": version,
                "key": key,
                "known": dict(answers[key]),
                "unknown": {},
                "expires_at": expires_at,
            }
            for key in sorted(answers)  # one order for all writers, so that none deadlock
        ],
    )


def forget_expired(session: Session, now: datetime) -> int:
    """Drop the kept answers that have expired; no ledger entry, as for ``remember``.

    Returns:
        How many were dropped.
    """
    expired = delete(CachedReading).where(col(CachedReading.expires_at) <= now)
    return len(session.execute(expired.returning(col(CachedReading.key))).all())


def _evidence(
    case_id: str,
    _intake_id: str,
    revision: int,
    source: str,
    content_digest: str,
    received_at: datetime,
    content: Mapping[str, Any],
) -> Evidence:
    get = content.get
    return Evidence(
        case_id,
        revision,
        source,
        content_digest,
        received_at,
        get("title", ""),
        get("body", ""),
        get("kind"),
        get("channel"),
        get("language"),
        get("country"),
        get("subject_id"),
        get("reporter_id"),
        get("attributes") or {},
    )


def _locked(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Lock those of some cases that still wait for signals; their revisions by id."""
    # The status is compared here: asked in SQL, SQLite would walk every case that has it.
    rows = session.execute(
        select(col(Case.id), col(Case.revision), col(Case.status))
        .where(among(session, col(Case.id), ids))
        .order_by(col(Case.id))
        .with_for_update()
    )
    opened = Status.OPENED.value
    return {case_id: revision for case_id, revision, status in rows if status == opened}


def _insert(session: Session, table: type[SQLModel]) -> Any:
    """An insert that can say what to do on conflict, in the words of the database at hand."""
    return insert_sqlite(table) if is_sqlite(session) else insert_postgresql(table)


def insert_readings(
    session: Session,
    evidence: Sequence[Evidence],
    readings: Sequence[Sequence[Reading]],
    now: datetime,
    keep_existing: bool = False,
) -> None:
    """Insert what each provider said about each case; what cases share is written out once."""
    made: dict[int, tuple[Any, ...]] = {}
    rows = []
    for said in readings:
        for case, reading in zip(evidence, said, strict=True):
            rest = made.get(id(reading))
            if rest is None:
                rest = made[id(reading)] = (
                    reading.provider,
                    reading.version,
                    orjson.dumps(dict(reading.values)).decode(),
                    orjson.dumps(dict(reading.unknown)).decode(),
                    reading.latency_ms,
                    reading.cached,
                )
            rows.append((case.case_id, case.revision, *rest))
    shared = {"read_at": stored_time(session, now)}
    insert_rows(
        session, "signal_readings", _READING, rows, shared=shared, keep_existing=keep_existing
    )


def enriched_drafts(
    evidence: Sequence[Evidence], readings: Sequence[Sequence[Reading]]
) -> list[Draft]:
    """One entry for each case: which provider said what, by digest, and what stayed unknown."""
    return [
        Draft(case.case_id, Action.CASE_ENRICHED, Written(data), case.revision)
        for case, data in zip(evidence, enriched_data(evidence, readings), strict=True)
    ]


def enriched_data(evidence: Sequence[Evidence], readings: Sequence[Sequence[Reading]]) -> list[str]:
    """What the entries of enriched cases tell, in canonical JSON."""
    # Providers give equal cases the same reading, so most of this is written once.
    summaries: dict[int, dict[str, Any]] = {}
    made: dict[tuple[int, ...], str] = {}
    told = []
    for said in zip(*readings, strict=True) if readings else repeat((), len(evidence)):
        alike = tuple(map(id, said))
        data = made.get(alike)
        if data is None:
            for each in said:
                if id(each) not in summaries:
                    summaries[id(each)] = _summary(each)
            parts = {each.provider: summaries[id(each)] for each in said}
            data = made[alike] = canonical(parts).decode()
        told.append(data)
    return told


def _summary(reading: Reading) -> dict[str, Any]:
    return {
        "version": reading.version,
        "digest": digest(dict(reading.values)),
        "unknown": sorted(reading.unknown),
    }
