"""Records of days: written once, revised by a further row, and read."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from casework.health.days import (
    bounds,
    changed,
    days_to_record,
    is_revisable,
    record_digest,
)
from casework.health.facts import Facts
from casework.health.regions import Region
from casework.health.rows import Row, rows_of
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.health.machine import first_moment, machine_facts
from casework.store.health.work import add_reviews, add_work
from casework.store.ledger import append
from casework.store.tables import HealthDay


def rows_between(session: Session, start: datetime, end: datetime, region: Region) -> list[Row]:
    """The figures of the time between two moments, from what the store holds now."""
    facts = Facts(counted=list(machine_facts(session, start, end, region)))
    add_work(session, facts, start, end, region)
    add_reviews(session, facts, start, end, region)
    return rows_of(facts)


def days_due(session: Session, now: datetime) -> list[date]:
    """The days that are over and not recorded, the oldest first; none while nothing happened."""
    last = session.scalar(select(func.max(col(HealthDay.day))))
    first = first_moment(session)
    return days_to_record(
        date.fromisoformat(last) if last else None, first.date() if first else None, now
    )


def record_day(
    session: Session,
    day: date,
    document: dict[str, Any],
    by: Provenance,
    now: datetime,
    differs: list[str] | None = None,
) -> HealthDay:
    """Write a day's record, or a further revision of it, and its digest into the history."""
    before = latest_record(session, day)
    revision = 1 if before is None else before.revision + 1
    kept = HealthDay(
        day=day.isoformat(),
        revision=revision,
        digest=record_digest(day, document),
        changed=differs or [],
        figures=document,
        recorded_at=now,
    )
    session.add(kept)
    session.flush()
    data = {
        "day": kept.day,
        "revision": revision,
        "digest": kept.digest,
        "changed": kept.changed,
        "alerts": len(document["alerts"]),
    }
    append(session, [Draft(SYSTEM, Action.HEALTH_RECORDED, data)], by, now)
    return kept


def revise_days(session: Session, region: Region, by: Provenance, now: datetime) -> list[HealthDay]:
    """Write a further revision of each recent day of which other facts have become known.

    Its alerts stay those of the first: they say what could be known then. Each of the days is
    read again, so this is for once a day.
    """
    revised = []
    for before in records(session, since=None, limit=8):
        day = date.fromisoformat(before.day)
        if not is_revisable(day, now):
            continue
        found = rows_between(session, *bounds(day), region)
        if differs := changed(rows_in(before), found):
            document = {**before.figures, "rows": [row.as_dict() for row in found]}
            revised.append(record_day(session, day, document, by, now, differs))
    return revised


def latest_record(session: Session, day: date) -> HealthDay | None:
    """A day's record, its latest revision; None where it has none."""
    return session.scalars(
        select(HealthDay)
        .where(col(HealthDay.day) == day.isoformat())
        .order_by(col(HealthDay.revision).desc())
        .limit(1)
    ).first()


def records(session: Session, since: date | None, limit: int = 400) -> list[HealthDay]:
    """The latest revision of each recorded day, the newest first."""
    latest = (
        select(col(HealthDay.day), func.max(col(HealthDay.revision)).label("revision"))
        .group_by(col(HealthDay.day))
        .subquery()
    )
    statement = (
        select(HealthDay)
        .join(
            latest,
            (col(HealthDay.day) == latest.c.day) & (col(HealthDay.revision) == latest.c.revision),
        )
        .order_by(col(HealthDay.day).desc())
        .limit(limit)
    )
    if since is not None:
        statement = statement.where(col(HealthDay.day) >= since.isoformat())
    return list(session.scalars(statement))


def rows_in(record: HealthDay) -> list[Row]:
    """The rows of a record."""
    return [Row(**row) for row in record.figures["rows"]]
