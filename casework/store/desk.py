"""What people see at their desks: how much waits where, what comes next, a subject's past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, tuple_
from sqlmodel import Session, col

from casework.gates import GateStatus
from casework.store.tables import Case, Decision, Gate


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a queue."""

    queue: str
    severities: dict[str, int]  # how many gates, by severity
    oldest: datetime

    @property
    def total(self) -> int:
        """How many gates wait."""
        return sum(self.severities.values())


@dataclass(frozen=True, slots=True)
class Place:
    """A gate's place in its queue: the worst first, then the oldest."""

    severity: str
    opened_at: datetime
    gate: str


def board(session: Session, queues: Sequence[str]) -> list[Waiting]:
    """What waits in some queues, in their order; queues in which nothing waits are left out."""
    statement = (
        select(col(Gate.queue), col(Gate.severity), func.count(), func.min(col(Gate.opened_at)))
        .where(col(Gate.status) == GateStatus.OPEN, col(Gate.queue).in_(queues))
        .group_by(col(Gate.queue), col(Gate.severity))
        .order_by(col(Gate.severity))
    )
    found: dict[str, Waiting] = {}
    for queue, severity, number, oldest in session.execute(statement):
        before = found.get(queue, Waiting(queue, {}, oldest))
        severities = {**before.severities, severity: number}
        found[queue] = Waiting(queue, severities, min(before.oldest, oldest))
    return [found[queue] for queue in queues if queue in found]


def page_of_queue(
    session: Session, queue: str, limit: int, after: Place | None = None
) -> list[dict[str, Any]]:
    """Gates that wait in a queue, with what a list shows of their cases, after a place."""
    shown = (Gate.id, Gate.case_id, Gate.severity, Gate.opened_at, Gate.proposed_action)
    statement = (
        select(
            *map(col, (*shown, Gate.reason, Case.source, Case.external_id, Case.language)),
        )
        .join(Case, col(Case.id) == col(Gate.case_id))
        .where(col(Gate.status) == GateStatus.OPEN, col(Gate.queue) == queue)
        .order_by(*_order())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(
            tuple_(*_order()) > (after.severity, after.opened_at, after.gate)
        )
    return [dict(row._mapping) for row in session.execute(statement)]


def next_gate(session: Session, person: str, queues: Sequence[str]) -> Gate | None:
    """The most urgent gate that somebody may still answer in some queues."""
    has_answered = exists().where(
        col(Decision.gate_id) == col(Gate.id), col(Decision.actor) == person
    )
    statement = (
        select(Gate)
        .where(
            col(Gate.status) == GateStatus.OPEN,
            col(Gate.queue).in_(queues),
            col(Gate.requested_by) != person,
            ~has_answered,
        )
        .order_by(*_order())
        .limit(1)
    )
    return session.scalars(statement).first()


def queues_of_case(session: Session, case_id: str) -> set[str]:
    """Every queue that a case is or has been in."""
    gates = session.scalars(select(col(Gate.queue)).where(col(Gate.case_id) == case_id))
    now_in = session.scalar(select(col(Case.queue)).where(col(Case.id) == case_id))
    return {*gates, *([now_in] if now_in else [])}


def past_of(session: Session, case: Case, limit: int = 10) -> list[Case]:
    """Other cases about the same subject, or from the same reporter, the newest first."""
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
        .where(or_(*alike), col(Case.id) != case.id)
        .order_by(col(Case.received_at).desc(), col(Case.id))
        .limit(limit)
    )
    return list(session.scalars(statement))


def _order() -> tuple[Any, Any, Any]:
    return col(Gate.severity), col(Gate.opened_at), col(Gate.id)
