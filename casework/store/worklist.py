"""What waits: queues by urgency, and the clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, false, select, tuple_
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, percent_used
from casework.errors import NotFound
from casework.store.clocks import clock_of, promise_of
from casework.store.gates import gate_by_id, live_holder
from casework.store.queue_heads import IS_OPEN, URGENCY, heads_of, place_of
from casework.store.restrictions import check_known, is_hidden, known_to
from casework.store.tables import Assignment, Case, Clock, Gate

#: Clocks that run, in the order in which they are due, and those that stand still.
_DUE_FIRST: Final = (col(Clock.due_at), col(Clock.gate_id), col(Clock.kind))
_STANDING: Final = _DUE_FIRST[1:]

#: The clock of the decision at a gate.
_DECIDING: Final = and_(
    col(Clock.gate_id) == col(Gate.id), col(Clock.kind) == ClockKind.DECISION.value
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A gate that waits, as a list shows it."""

    gate: Gate
    case: Case
    clock: Clock | None  # that of its decision
    holder: str | None  # who has it now
    follow_up_at: datetime | None  # until when it is on hold


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
        select(Gate, Case, Clock, Assignment)
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
        )
        for gate, case, clock, assignment in session.execute(statement)
    ]


def running_clocks(
    session: Session,
    now: datetime,
    *,
    breached: bool = False,
    due_by: datetime | None = None,
    queues: Sequence[str] | None = None,
    limit: int = 50,
    after: tuple[str, str] | None = None,
    viewer: str | None = None,
) -> list[dict[str, Any]]:
    """Clocks that go on, what is due first at the top and what stands still at the end.

    ``after`` are the gate and the kind of the clock behind which to go on. A ``viewer`` is shown
    none of cases that they may not know of.

    Returns:
        Rows of plain values; ``used`` is the share of the target that is gone, in percent.

    Raises:
        NotFound: there is no such clock to go on from.
    """
    statement = (
        select(Clock, Gate, Assignment)
        .join(Gate, col(Gate.id) == col(Clock.gate_id))
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Clock.gate_id))
        .where(col(Clock.ended_at).is_(None), IS_OPEN)
    )
    if queues is not None:
        statement = statement.where(col(Gate.queue).in_(queues))
    if viewer is not None:
        statement = statement.where(known_to(col(Gate.case_id), viewer))
    due = statement.where(col(Clock.due_at).is_not(None))
    still = statement.where(col(Clock.due_at).is_(None))
    if breached:
        due = due.where(col(Clock.due_at) < now)
    if due_by is not None:
        due = due.where(col(Clock.due_at) <= due_by)
    if after and (last := _clock(session, after, queues, viewer)).due_at is None:
        due = due.where(false())
        still = still.where(tuple_(*_STANDING) > after)
    elif after:
        due = due.where(tuple_(*_DUE_FIRST) > (last.due_at, *after))
    found = session.execute(due.order_by(*_DUE_FIRST).limit(limit)).all()
    if not breached and due_by is None and len(found) < limit:
        # Asked for apart: no index has what is due first and what stands still at its end.
        rest = still.order_by(*_STANDING).limit(limit - len(found))
        found = [*found, *session.execute(rest)]
    return [_row(session, clock, gate, assignment, now) for clock, gate, assignment in found]


def _clock(
    session: Session, key: tuple[str, str], queues: Sequence[str] | None, viewer: str | None
) -> Clock:
    """The clock to go on from, if it is one of those that are listed."""
    gate, kind = key
    found, at = session.get(Clock, key), session.get(Gate, gate)
    seen = at is not None and (queues is None or at.queue in queues)
    if found is None or at is None or not seen or is_hidden(session, at.case_id, viewer):
        raise NotFound(f"there is no clock {gate}/{kind} to go on from", hint="begin anew")
    return found


def _row(
    session: Session, clock: Clock, gate: Gate, assignment: Assignment | None, now: datetime
) -> dict[str, Any]:
    used = percent_used(clock_of(clock, promise_of(session, clock)), now)
    return {
        "gate": gate.id,
        "case": gate.case_id,
        "clock": clock.kind,
        "queue": gate.queue,
        "severity": gate.severity,
        "state": clock.state,
        "due_at": clock.due_at,
        "used": round(used),
        "holder": assignment and assignment.holder,
        "follow_up_at": assignment and assignment.follow_up_at,
    }
