"""The clocks that go on, as lists show them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, false, select, tuple_
from sqlmodel import Session, col

from casework.clocks.model import percent_used
from casework.errors import NotFound
from casework.store.clocks import clock_of, promise_of
from casework.store.queue_heads import IS_OPEN
from casework.store.restrictions import is_hidden, known_to
from casework.store.tables import Assignment, Clock, Gate

#: Clocks that run, in the order in which they are due, and those that stand still.
_DUE_FIRST: Final = (col(Clock.due_at), col(Clock.gate_id), col(Clock.kind))
_STANDING: Final = _DUE_FIRST[1:]


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
    statement = _going_on(queues, viewer)
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


def _going_on(
    queues: Sequence[str] | None, viewer: str | None
) -> Select[tuple[Clock, Gate, Assignment]]:
    """Every clock that has not ended, with its gate and who has that."""
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
    return statement


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
