"""What the store knows about the subjects and the reporters of cases.

Everything is counted over *other* cases received strictly before the case in question, so that a
case never counts itself and the size of a batch and the order within it change nothing.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import String, and_, func, select, type_coerce
from sqlmodel import Session, col

from casework.cases import Evidence, Status
from casework.store.bulk import stored_times
from casework.store.engine import is_sqlite
from casework.store.indexes import NO_ACTION
from casework.store.lookup import among
from casework.store.tables import Case

#: How far back the recent counts look.
WINDOW: Final = timedelta(days=90)


class Counts(NamedTuple):
    """What is known of someone at the moment a case was received."""

    total: int = 0
    recent: int = 0  # in the 90 days before
    acted_on: int = 0  # of the recent ones, those that have been closed with an action


#: Someone of whom the store knows nothing, or nobody.
NONE: Final = Counts()


class Record(NamedTuple):
    """What the store knows of one case's subject and of its reporter."""

    subject: Counts
    reporter: Counts


def records(
    session: Session, evidence: Sequence[Evidence], *, arriving: bool = False
) -> list[Record]:
    """Read the record of each case's subject and reporter, in the order given.

    A few queries serve the whole batch. A case that names nobody has the counts of nobody: zero.
    Cases that are ``arriving`` are not in the store yet, and count for each other all the same.
    """
    raw = stored_times(session)
    when = {each.received_at for each in evidence}
    windows = {moment: (raw(moment), raw(moment - WINDOW)) for moment in when}
    moments = [windows[each.received_at] for each in evidence]
    subjects, reporters = (
        _counts(session, column, names, moments, arriving)
        for column, names in (
            (col(Case.subject_id), [each.subject_id for each in evidence]),
            (col(Case.reporter_id), [each.reporter_id for each in evidence]),
        )
    )
    return list(map(Record, subjects, reporters))


def _counts(
    session: Session,
    column: Any,
    names: Sequence[str | None],
    moments: Sequence[tuple[Any, Any]],
    arriving: bool,
) -> list[Counts]:
    """For each name, its counts before a moment, which comes with the start of its window."""
    received, acted_on = _timelines(session, column, {name for name in names if name})
    if arriving:
        for name, (now, _) in zip(names, moments, strict=True):
            if name:
                insort(received[name], now)
    counted = []
    for name, (now, since) in zip(names, moments, strict=True):
        line = received.get(name) if name else None
        total = bisect_left(line, now) if line else 0
        if not name or not line or not total:
            counted.append(NONE)
            continue
        acted = acted_on.get(name)
        led_to_action = bisect_left(acted, now) - bisect_left(acted, since) if acted else 0
        counted.append(Counts(total, total - bisect_left(line, since), led_to_action))
    return counted


def _timelines(
    session: Session, column: Any, names: Collection[str]
) -> tuple[defaultdict[str, list[Any]], defaultdict[str, list[Any]]]:
    """When each name's cases were received, ascending, as the database's driver gives it.

    The second is of those cases alone that were closed with an action.
    """
    received: defaultdict[str, list[Any]] = defaultdict(list)
    acted_on: defaultdict[str, list[Any]] = defaultdict(list)
    if not names:
        return received, acted_on
    received_at, found = col(Case.received_at), among(session, column, names)
    acted = and_(
        col(Case.status) == Status.CLOSED, func.coalesce(col(Case.action), NO_ACTION) != NO_ACTION
    )
    if is_sqlite(session):
        # One row of three documents: a third of the time that a row for each case takes.
        together = (column, type_coerce(received_at, String), acted)
        statement = select(*map(func.json_group_array, together)).where(found)
    else:
        statement = select(column, received_at, acted).where(found)
    rows = session.execute(statement).all()
    for name, moment, led_to_action in (
        zip(*map(orjson.loads, rows[0]), strict=True) if is_sqlite(session) else rows
    ):
        received[name].append(moment)
        if led_to_action:
            acted_on[name].append(moment)
    for line in chain(received.values(), acted_on.values()):
        line.sort()
    return received, acted_on
