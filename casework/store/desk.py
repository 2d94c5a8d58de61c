"""What people see at their desks: how much waits where, and a subject's past."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, case, func, or_, select
from sqlmodel import Session, col

from casework.gates import GateStatus
from casework.store.access import known_to
from casework.store.tables import Assignment, Case, Clock, Gate
from casework.store.worklist import DECIDING

#: What is due within this time is due soon.
SOON: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a queue."""

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

    What is restricted does not count, but for a viewer who may know of it.
    """
    due = col(Clock.due_at)
    statement = (
        select(
            col(Gate.queue),
            col(Gate.severity),
            func.count(),
            func.min(col(Gate.opened_at)),
            _number(due < now),
            _number(and_(due >= now, due <= now + SOON)),
            _number(col(Assignment.follow_up_at).is_not(None)),
        )
        .outerjoin(Clock, DECIDING)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(col(Gate.status) == GateStatus.OPEN, col(Gate.queue).in_(queues))
        .where(known_to(col(Gate.case_id), viewer))
        .group_by(col(Gate.queue), col(Gate.severity))
        .order_by(col(Gate.severity))
    )
    found: dict[str, Waiting] = {}
    for queue, severity, number, oldest, breached, soon, on_hold in session.execute(statement):
        before = found.get(queue, Waiting(queue, {}, oldest))
        found[queue] = replace(
            before,
            severities={**before.severities, severity: number},
            oldest=min(before.oldest, oldest),
            breached=before.breached + breached,
            soon=before.soon + soon,
            on_hold=before.on_hold + on_hold,
        )
    return [found[queue] for queue in queues if queue in found]


def _number(condition: Any) -> Any:
    """How many rows of a group meet a condition."""
    return func.sum(case((condition, 1), else_=0))


def queues_of_case(session: Session, case_id: str) -> set[str]:
    """Every queue that a case is or has been in, one that has handed it over too."""
    gates = session.scalars(select(col(Gate.queue)).where(col(Gate.case_id) == case_id))
    owners = session.scalars(
        select(col(Assignment.owner_queue)).where(
            col(Assignment.gate_id).in_(select(col(Gate.id)).where(col(Gate.case_id) == case_id)),
            col(Assignment.owner_queue).is_not(None),
        )
    )
    now_in = session.scalar(select(col(Case.queue)).where(col(Case.id) == case_id))
    return {*gates, *filter(None, owners), *([now_in] if now_in else [])}


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
