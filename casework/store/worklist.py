"""What waits: the gates of queues, by urgency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, exists, select
from sqlmodel import Session, col

from casework.clocks.model import ClockKind
from casework.errors import NotFound
from casework.qa.reviews import GateKind
from casework.store.gates import gate_by_id, live_holder
from casework.store.queue_heads import URGENCY, heads_of, place_of
from casework.store.restrictions import check_known
from casework.store.tables import Assignment, Case, Clock, Gate, QaGate

#: The clock of the decision at a gate.
_DECIDING: Final = and_(
    col(Clock.gate_id) == col(Gate.id), col(Clock.kind) == ClockKind.DECISION.value
)

_REVIEWED: Final = exists().where(
    col(QaGate.case_id) == col(Case.id),
    col(QaGate.status) == "open",
    col(QaGate.kind) == GateKind.REVIEW,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A gate that waits, as a list shows it."""

    gate: Gate
    case: Case
    clock: Clock | None  # that of its decision
    holder: str | None  # who has it now
    follow_up_at: datetime | None  # until when it is on hold
    is_reviewed: bool  # something decided about its case is being looked at again, blind


def page_of_queue(
    session: Session, queue: str, now: datetime, limit: int, after: str = "", viewer: str = ""
) -> list[Listed]:
    """Gates that wait in a queue, by urgency, from the one behind the gate ``after`` on.

    What is restricted is left out, but for a viewer who may know of it.

    Raises:
        NotFound: there is no such gate to go on from.
    """
    return page_of_queues(session, [queue], now, limit, after, viewer)


def page_of_queues(
    session: Session,
    queues: Sequence[str],
    now: datetime,
    limit: int,
    after: str = "",
    viewer: str = "",
) -> list[Listed]:
    """The same of several queues, in one order.

    Raises:
        NotFound: there is no such gate to go on from.
    """
    if not queues:
        return []
    place = None
    if after:
        last = gate_by_id(session, after)
        check_known(session, last.case_id, after, viewer)
        if last.queue not in queues:  # whoever may not see a gate is not told that there is one
            raise NotFound(f"there is no gate {after}", hint="casework approvals list")
        place = place_of(last)
    found = heads_of(session, queues, viewer, limit, after=place)
    statement = (
        select(Gate, Case, Clock, Assignment, _REVIEWED)
        .join(Case, col(Case.id) == col(Gate.case_id))
        .outerjoin(Clock, _DECIDING)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(col(Gate.id).in_([row.id for row in found]))
        .order_by(*URGENCY)
    )
    return [
        Listed(
            gate,
            case,
            clock,
            live_holder(assignment, now) if assignment else None,
            assignment.follow_up_at if assignment else None,
            reviewed,
        )
        for gate, case, clock, assignment, reviewed in session.execute(statement)
    ]
