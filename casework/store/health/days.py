"""Records of days: written once, revised by a further row, and read."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from casework.health.days import (
    REVISED_FOR,
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


class Revision(NamedTuple):
    """A further revision of a day: its number, all its figures, and what differs."""

    day: date
    number: int
    figures: dict[str, Any]
    changed: list[str]


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
    session: Session, day: date, figures: dict[str, Any], by: Provenance, now: datetime
) -> bool:
    """Write a day's record, and its digest into the history; False if it has one already."""
    if latest_record(session, day) is not None:
        return False
    _write(session, HealthDay(**_record(day, 1, figures, [], now)), by, now)
    return True


def late_facts(session: Session, region: Region, now: datetime) -> list[Revision]:
    """What the store says otherwise by now of each recent day than its record does.

    A day's alerts stay those of its first record: they say what could be known then. Each of the
    days is read again, so this is for once a day.
    """
    found = []
    for before in records(session, since=None, limit=REVISED_FOR.days + 1):
        day = date.fromisoformat(before.day)
        if not is_revisable(day, now):
            continue
        rows = rows_between(session, *bounds(day), region)
        if differs := changed(rows_in(before), rows):
            figures = {**before.figures, "rows": [row.as_dict() for row in rows]}
            found.append(Revision(day, before.revision + 1, figures, differs))
    return found


def revise_day(session: Session, late: Revision, by: Provenance, now: datetime) -> None:
    """Write a further revision of a day beside those there are."""
    record = _record(late.day, late.number, late.figures, late.changed, now)
    _write(session, HealthDay(**record), by, now)


def _record(
    day: date, revision: int, figures: dict[str, Any], differs: list[str], now: datetime
) -> dict[str, Any]:
    return {
        "day": day.isoformat(),
        "revision": revision,
        "digest": record_digest(day, figures),
        "changed": differs,
        "figures": figures,
        "recorded_at": now,
    }


def _write(session: Session, record: HealthDay, by: Provenance, now: datetime) -> None:
    session.add(record)
    session.flush()
    told = ("day", "revision", "digest", "changed")
    data = {name: getattr(record, name) for name in told}
    data["alerts"] = len(record.figures["alerts"])
    append(session, [Draft(SYSTEM, Action.HEALTH_RECORDED, data)], by, now)


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
