"""What to do next: the most urgent gate for one person, queues by urgency, and the clocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, and_, func, literal, or_, select, tuple_
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, percent_used
from casework.errors import NotFound
from casework.gates import GateStatus, Person, barred
from casework.store.clocks import clock_of, promise_of
from casework.store.gates import live_holder, situation
from casework.store.keyset import behind
from casework.store.policy import stored_bundle
from casework.store.tables import Assignment, Case, Clock, Gate
from casework.store.types import UtcDateTime

#: Gates looked at in one go.
_PAGE: Final = 100

#: Where a clock that is not due stands in an order: behind all that are.
_NEVER: Final = literal(datetime(9999, 1, 1, tzinfo=UTC), UtcDateTime())

#: Clocks in the order in which they are due; what stands still is at the end.
_DUE_FIRST: Final = (func.coalesce(col(Clock.due_at), _NEVER), col(Clock.gate_id), col(Clock.kind))

#: The clock of the decision at a gate.
DECIDING: Final = and_(
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


def next_gate(session: Session, person: Person, now: datetime) -> Gate | None:
    """The gate that this person should look at next; None where nothing waits for them.

    The most severe comes first, then what is due first, then the oldest. What another has, or what
    is on hold, is passed over.
    """
    places = _places(session, person)
    if not places:
        return None
    statement = _waiting(person.id, now).where(
        tuple_(col(Gate.queue), col(Gate.policy_digest)).in_(places)
    )
    for case, gate in _pages(session, statement):
        terms = stored_bundle(session, gate.policy_digest).terms(gate.queue, None)
        if barred(situation(session, case, gate, now), person, terms) is None:
            return gate
    return None


def page_of_queue(
    session: Session, queue: str, now: datetime, limit: int, after: str = ""
) -> list[Listed]:
    """Gates that wait in a queue, by urgency, from the one behind the gate ``after`` on.

    Raises:
        NotFound: there is no such gate to go on from.
    """
    return page_of_queues(session, [queue], now, limit, after)


def page_of_queues(
    session: Session, queues: Sequence[str], now: datetime, limit: int, after: str = ""
) -> list[Listed]:
    """The same of several queues, in one order.

    Raises:
        NotFound: there is no such gate to go on from.
    """
    statement = (
        select(Gate, Case, Clock, Assignment)
        .join(Case, col(Case.id) == col(Gate.case_id))
        .outerjoin(Clock, DECIDING)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(col(Gate.status) == GateStatus.OPEN, col(Gate.queue).in_(queues))
        .order_by(*_urgency())
        .limit(limit)
    )
    if after:
        last = select(*_urgency()).select_from(Gate).outerjoin(Clock, DECIDING)
        # Of these queues alone: whoever may not see a gate is not told that there is one.
        last = last.where(col(Gate.id) == after, col(Gate.queue).in_(queues))
        place = session.execute(last).first()
        if place is None:
            raise NotFound(f"there is no gate {after} to go on from", hint="begin anew")
        statement = statement.where(tuple_(*_urgency()) > tuple(place))
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
) -> list[dict[str, Any]]:
    """Clocks that go on, what is due first at the top and what stands still at the end.

    ``after`` are the gate and the kind of the clock behind which to go on.

    Returns:
        Rows of plain values; ``used`` is the share of the target that is gone, in percent.
    """
    statement = (
        select(Clock, Gate, Assignment)
        .join(Gate, col(Gate.id) == col(Clock.gate_id))
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Clock.gate_id))
        .where(col(Clock.ended_at).is_(None), col(Gate.status) == GateStatus.OPEN)
        .order_by(*_DUE_FIRST)
        .limit(limit)
    )
    if after:
        last = tuple_(col(Clock.gate_id), col(Clock.kind)) == after
        if queues is not None:
            seen = select(col(Gate.id)).where(col(Gate.queue).in_(queues))
            last &= col(Clock.gate_id).in_(seen)
        statement = behind(session, statement, _DUE_FIRST, last, "/".join(after))
    if breached:
        statement = statement.where(col(Clock.due_at) < now)
    if due_by is not None:
        statement = statement.where(col(Clock.due_at) <= due_by)
    if queues is not None:
        statement = statement.where(col(Gate.queue).in_(queues))
    return [
        _row(session, clock, gate, assignment, now)
        for clock, gate, assignment in session.execute(statement)
    ]


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


def _places(session: Session, person: Person) -> list[tuple[str, str]]:
    """Queues, under the policies of the gates in them, where somebody of these roles answers."""
    open_ = select(col(Gate.queue), col(Gate.policy_digest)).where(
        col(Gate.status) == GateStatus.OPEN
    )
    return [
        (queue, policy)
        for queue, policy in session.execute(open_.distinct())
        if ("*" in person.queues or queue in person.queues)
        and person.roles & stored_bundle(session, policy).queues[queue].roles
    ]


def _waiting(person: str, now: datetime) -> Select[tuple[Case, Gate]]:
    """Open gates that are free or this person's own, and not on hold, by urgency."""
    free = or_(
        col(Assignment.holder).is_(None),
        col(Assignment.holder) == person,
        col(Assignment.lease_until) <= now,
    )
    return (
        select(Case, Gate)
        .join(Case, col(Case.id) == col(Gate.case_id))
        .outerjoin(Clock, DECIDING)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(col(Gate.status) == GateStatus.OPEN, free, col(Assignment.follow_up_at).is_(None))
        .order_by(*_urgency())
    )


def _urgency() -> tuple[Any, ...]:
    """The most severe first, then what is due first, then the oldest."""
    due = func.coalesce(col(Clock.due_at), _NEVER)
    return col(Gate.severity), due, col(Gate.opened_at), col(Gate.id)


def _pages(session: Session, statement: Select[tuple[Case, Gate]]) -> Iterator[tuple[Case, Gate]]:
    offset = 0
    while rows := session.execute(statement.limit(_PAGE).offset(offset)).all():
        yield from ((case, gate) for case, gate in rows)
        offset += _PAGE
