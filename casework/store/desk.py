"""What people see at their desks: how much waits where, and a subject's past."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select, text, union_all
from sqlmodel import Session, col

from casework.cases import Severity
from casework.store.engine import is_sqlite
from casework.store.lookup import among
from casework.store.people import reach_of
from casework.store.queue_heads import IS_OPEN
from casework.store.restrictions import kept_from, known_in_words, known_to
from casework.store.tables import Assignment, Case, Gate, Person
from casework.store.types import UtcDateTime

#: How far a board counts; the index would have to be read to its end otherwise.
COUNTED: Final = 1_000

_PLACES_SQLITE: Final = (
    "WITH places(queue, severity) AS "
    "(SELECT q.value, s.value FROM json_each(:queues) q, json_each(:severities) s) "
)
_PLACES_POSTGRES: Final = (
    "WITH places(queue, severity) AS (SELECT q, s FROM unnest(CAST(:queues AS text[])) q "
    "CROSS JOIN unnest(CAST(:severities AS text[])) s) "
)
_KNOWN: Final = known_in_words("g.case_id", "viewer")
_HERE: Final = (
    "FROM gates g WHERE g.status = 'open' AND g.queue = places.queue "
    "AND g.severity = places.severity"
)
_COUNTS: Final = (
    "SELECT queue, severity, "
    "(SELECT min(opened_at) FROM gates g WHERE g.status = 'open' AND g.queue = places.queue "
    f"AND {_KNOWN}) AS oldest, "
    f"(SELECT count(*) FROM (SELECT 1 {_HERE} LIMIT :most) a) AS waits, "
    f"(SELECT count(*) FROM (SELECT 1 {_HERE} AND g.ranks_at < :now LIMIT :most) b) AS late, "
    f"(SELECT count(*) FROM (SELECT 1 {_HERE} AND g.ranks_at BETWEEN :now AND :soon "
    "LIMIT :most) c) AS soon FROM places ORDER BY queue, severity"
)

#: What is due within this time is due soon.
SOON: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a queue; a number above COUNTED means at least so many."""

    queue: str
    severities: dict[str, int]  # how many gates, by severity
    oldest: datetime
    breached: int = 0  # whose decision is overdue
    soon: int = 0  # whose decision is due within SOON
    on_hold: int = 0

    @property
    def total(self) -> int:
        """How many gates wait."""
        return sum(self.severities.values())


def board(
    session: Session, queues: Sequence[str], now: datetime, viewer: str = ""
) -> list[Waiting]:
    """What waits in some queues, in their order; queues in which nothing waits are left out.

    What is restricted does not count, but for a viewer who may know of it. Each number is counted
    to COUNTED + 1 and no further, so that a board costs the same whatever waits.
    """
    on_hold, found = _on_hold(session, queues, viewer), dict[str, Waiting]()
    kept = _kept(session, queues, now, viewer)
    most = COUNTED + 1 + max((each[0] for each in kept.values()), default=0)
    for queue, severity, oldest, *all_of in _counts(session, queues, now, viewer, most):
        less = kept.get((queue, severity), (0, 0, 0))
        number, breached, soon = (
            min(each - own, COUNTED + 1) for each, own in zip(all_of, less, strict=True)
        )
        if not number:
            continue
        before = found.get(queue, Waiting(queue, {}, oldest, on_hold=on_hold.get(queue, 0)))
        found[queue] = replace(
            before,
            severities={**before.severities, severity: number},
            breached=before.breached + breached,
            soon=before.soon + soon,
        )
    return [found[queue] for queue in queues if queue in found]


def _counts(
    session: Session, queues: Sequence[str], now: datetime, viewer: str, most: int
) -> Sequence[Any]:
    """For each queue and severity: since when the oldest waits that the viewer may know of, and how
    many wait, are late and soon due, restricted ones too: the index alone answers that."""
    lists: list[Any] = [list(queues), [severity.value for severity in Severity]]
    if is_sqlite(session):
        places, lists = _PLACES_SQLITE, [orjson.dumps(each).decode() for each in lists]
    else:
        places = _PLACES_POSTGRES
    statement = (
        text(places + _COUNTS)
        .bindparams(
            bindparam("now", now, UtcDateTime()), bindparam("soon", now + SOON, UtcDateTime())
        )
        .columns(oldest=UtcDateTime)
    )
    given = {"queues": lists[0], "severities": lists[1], "most": most, "viewer": viewer}
    return session.execute(statement, given).all()


def _kept(
    session: Session, queues: Sequence[str], now: datetime, viewer: str
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """By queue and severity how many restricted gates wait, are late and soon due."""
    ranks = col(Gate.ranks_at)
    statement = (
        select(
            col(Gate.queue),
            col(Gate.severity),
            func.count(),
            func.count(case((ranks < now, 1))),
            func.count(case((ranks.between(now, now + SOON), 1))),
        )
        .where(IS_OPEN, col(Gate.queue).in_(queues))
        .where(col(Gate.case_id).in_(kept_from(viewer)))
        .group_by(col(Gate.queue), col(Gate.severity))
    )
    found = session.execute(statement)
    return {(queue, severity): (n, late, soon) for queue, severity, n, late, soon in found}


def _on_hold(session: Session, queues: Sequence[str], viewer: str) -> dict[str, int]:
    statement = (
        select(col(Gate.queue), func.count())
        .join(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(IS_OPEN, col(Gate.queue).in_(queues), col(Assignment.follow_up_at).is_not(None))
        .where(known_to(col(Gate.case_id), viewer))
        .group_by(col(Gate.queue))
    )
    return dict(map(tuple, session.execute(statement)))


def queues_of_cases(session: Session, cases: Collection[str]) -> dict[str, set[str]]:
    """Every queue that each case is or has been in, one that has handed it over too."""
    found: dict[str, set[str]] = {case_id: set() for case_id in cases}
    columns = (
        (Gate.case_id, Gate.queue),
        (Assignment.case_id, Assignment.owner_queue),
        (Case.id, Case.queue),
    )
    parts = [
        select(col(name), col(queue)).where(
            among(session, col(name), list(found)), col(queue).is_not(None)
        )
        for name, queue in columns
    ]
    for case_id, queue in session.execute(union_all(*parts)):
        found[case_id].add(queue)
    return found


def is_beyond(session: Session, case_id: str, person: str) -> bool:
    """Whether a case has been in none of the queues to which somebody's vendor limits them."""
    found = session.get(Person, person)
    reach = reach_of(session, found) if found is not None else None
    if reach is None or reach.bounded_by is None:
        return False
    return reach.queues.isdisjoint(queues_of_cases(session, [case_id])[case_id])


def was_in(column: Any, queues: Collection[str]) -> ColumnElement[bool]:
    """Whether the case that a column names is or has been in one of some queues."""
    wanted, of_gates = sorted(queues), select(Gate).where(col(Gate.case_id) == column)
    owned = of_gates.join(Assignment, col(Assignment.gate_id) == col(Gate.id))
    now_in = select(Case).where(col(Case.id) == column, col(Case.queue).in_(wanted))
    return or_(
        of_gates.where(col(Gate.queue).in_(wanted)).exists(),
        owned.where(col(Assignment.owner_queue).in_(wanted)).exists(),
        now_in.exists(),
    )


def past_of(session: Session, case: Case, viewer: str = "", limit: int = 10) -> list[Case]:
    """Other cases about the same subject, or from the same reporter, the newest first.

    What is restricted is left out, but for a viewer who may know of it.
    """
    alike = [
        and_(col(column).is_not(None), col(column) == value)
        for column, value in (
            (Case.subject_id, case.subject_id),
            (Case.reporter_id, case.reporter_id),
        )
        if value is not None
    ]
    if not alike:
        return []
    statement = (
        select(Case)
        .where(or_(*alike), col(Case.id) != case.id, known_to(col(Case.id), viewer))
        .order_by(col(Case.received_at).desc(), col(Case.id))
        .limit(limit)
    )
    return list(session.scalars(statement))
