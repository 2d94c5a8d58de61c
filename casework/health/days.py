"""Days in UTC: their bounds, when one is over for good, and what differs between two records."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from casework.canonical import digest
from casework.health.rows import ALL, Row

#: After midnight, until a day is recorded: for what was under way at midnight to be committed.
GRACE: Final = timedelta(hours=1)

#: Read from what later steps may still move, so that a difference tells of no late fact.
_MOVING: Final = frozenset({"overdue", "sla_partner_answer"})

#: For how long a recorded day is held against what the store says now.
REVISED_FOR: Final = timedelta(days=7)


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends; the end is not in it."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def is_over(day: date, now: datetime) -> bool:
    """Whether a day may be recorded."""
    return now >= bounds(day)[1] + GRACE


def days_to_record(last: date | None, first: date | None, now: datetime) -> list[date]:
    """The days that are over and have no record yet: after the last recorded, or from the first."""
    day = last + timedelta(days=1) if last else first
    found = []
    while day is not None and is_over(day, now):
        found.append(day)
        day += timedelta(days=1)
    return found


def is_revisable(day: date, now: datetime) -> bool:
    """Whether late facts about a day are still taken up."""
    return now < bounds(day)[1] + REVISED_FOR


def record_digest(day: date, document: dict[str, Any]) -> str:
    """SHA-256 over a day and all that was recorded of it."""
    return digest({"day": day.isoformat(), "document": document})


def changed(before: Sequence[Row], after: Sequence[Row]) -> list[str]:
    """The measures whose figure for everything differs, by name.

    Only the whole counts: a gate that moves to another queue, or a person to another vendor,
    changes groups of days gone by and nothing that happened on them.
    """
    then, now = ({r.measure: r for r in rows if r.by == ALL} for rows in (before, after))
    names = [name for name in {**then, **now} if name not in _MOVING]
    return [name for name in names if then.get(name) != now.get(name)]
