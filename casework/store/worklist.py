"""What to do next: the most urgent gate for one person, queues by urgency, and the clocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import TextualSelect, and_, bindparam, func, literal, select, text, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, percent_used
from casework.gates import GateStatus, Person, barred
from casework.store.clocks import clock_of, promise_of
from casework.store.gates import gate_by_id, live_holder, situation
from casework.store.policy import stored_bundle
from casework.store.tables import Assignment, Case, Clock, Gate
from casework.store.types import UtcDateTime

#: Gates of each queue that are looked at in one go.
_PAGE: Final = 50

#: A gate at which people must decide, in the words of the indexes of those: they are not used else.
IS_OPEN: Final = col(Gate.status) == literal(GateStatus.OPEN.value, literal_execute=True)

#: The most severe first, then what is due first, then the oldest: the order within a queue.
URGENCY: Final = tuple(map(col, (Gate.severity, Gate.ranks_at, Gate.opened_at, Gate.id)))

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


def next_gate(session: Session, person: Person, now: datetime) -> Gate | None:
    """The gate that this person should look at next; None where nothing waits for them."""
    return next(next_gates(session, person, now), None)


def next_gates(session: Session, person: Person, now: datetime) -> Iterator[Gate]:
    """The gates that this person should look at, one after another.

    The most severe comes first, then what is due first, then the oldest. What another has, or what
    is on hold, is passed over.
    """
    queues = _queues_of(session, person)
    for name in _free(session, queues, person.id, now) if queues else ():
        gate = session.get_one(Gate, name)
        bundle = stored_bundle(session, gate.policy_digest)
        if not person.roles & bundle.queues[gate.queue].roles:
            continue
        found = situation(session, session.get_one(Case, gate.case_id), gate, now)
        if barred(found, person, bundle.terms(gate.queue, None)) is None:
            yield gate


def page_of_queue(
    session: Session, queue: str, now: datetime, limit: int, after: str = ""
) -> list[Listed]:
    """Gates that wait in a queue, by urgency, from the one behind the gate ``after`` on.

    Raises:
        NotFound: there is no such gate to go on from.
    """
    statement = (
        select(Gate, Case, Clock, Assignment)
        .join(Case, col(Case.id) == col(Gate.case_id))
        .outerjoin(Clock, _DECIDING)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(IS_OPEN, col(Gate.queue) == queue)
        .order_by(*URGENCY)
        .limit(limit)
    )
    if after:
        last = gate_by_id(session, after)
        place = (last.severity, last.ranks_at, last.opened_at, last.id)
        statement = statement.where(tuple_(*URGENCY) > place)
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
) -> list[dict[str, Any]]:
    """Clocks that go on, what is due first at the top and what stands still at the end.

    Returns:
        Rows of plain values; ``used`` is the share of the target that is gone, in percent.
    """
    statement = (
        select(Clock, Gate, Assignment)
        .join(Gate, col(Gate.id) == col(Clock.gate_id))
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Clock.gate_id))
        .where(col(Clock.ended_at).is_(None), IS_OPEN)
    )
    if queues is not None:
        statement = statement.where(col(Gate.queue).in_(queues))
    due = statement.where(col(Clock.due_at).is_not(None))
    if breached:
        due = due.where(col(Clock.due_at) < now)
    if due_by is not None:
        due = due.where(col(Clock.due_at) <= due_by)
    order = (col(Clock.due_at), col(Clock.gate_id))
    found = session.execute(due.order_by(*order).limit(limit)).all()
    if not breached and due_by is None and len(found) < limit:
        # Asked for apart: no index has what is due first and what stands still at its end.
        still = statement.where(col(Clock.due_at).is_(None)).order_by(col(Clock.gate_id))
        found = [*found, *session.execute(still.limit(limit - len(found)))]
    return [_row(session, clock, gate, assignment, now) for clock, gate, assignment in found]


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


def _queues_of(session: Session, person: Person) -> list[str]:
    """Queues where somebody of these roles answers, under one of the policies that gates have."""
    named: dict[str, None] = {}
    for policy in _policies(session):
        for queue in stored_bundle(session, policy).queues.values():
            if "*" in person.queues or queue.id in person.queues:
                named |= {queue.id: None} if person.roles & queue.roles else {}
    return list(named)


def _policies(session: Session) -> list[str]:
    """The policies under which gates wait, from one to the next by index: gates may be many."""
    first = select(func.min(col(Gate.policy_digest)).label("digest")).where(IS_OPEN)
    walk, later = first.cte("policies", recursive=True), aliased(Gate)
    following = (
        select(func.min(col(later.policy_digest)))
        .where(
            col(later.status) == literal(GateStatus.OPEN.value, literal_execute=True),
            col(later.policy_digest) > walk.c.digest,
        )
        .scalar_subquery()
    )
    walk = walk.union_all(select(following).select_from(walk).where(walk.c.digest.is_not(None)))
    return list(session.scalars(select(walk.c.digest).where(walk.c.digest.is_not(None))))


def _free(session: Session, queues: Sequence[str], person: str, now: datetime) -> Iterator[str]:
    """Open gates that are free or this person's own, and not on hold, by urgency."""
    given = {f"q{number}": queue for number, queue in enumerate(queues)} | {"person": person}
    following, place = False, dict[str, Any]()
    while True:
        statement = _heads(len(queues), following)
        rows = session.execute(statement, {**given, **place, "now": now}).all()
        yield from (row.id for row in rows)
        if len(rows) < _PAGE:
            return
        following, place = True, dict(rows[-1]._mapping)


@lru_cache(maxsize=64)
def _heads(queues: int, following: bool) -> TextualSelect:
    """The statement for the heads of so many queues, from a place on where it is ``following``.

    It is written out: to put it together anew would take longer than to answer it.
    """
    place = "severity, ranks_at, opened_at, id"
    after = f"AND ({place}) > (:severity, :ranks_at, :opened_at, :id) " if following else ""
    heads = (
        f"SELECT * FROM (SELECT {place} FROM gates LEFT JOIN assignments a ON a.gate_id = id "
        f"WHERE status = 'open' AND queue = :q{number} AND follow_up_at IS NULL "
        f"AND (holder IS NULL OR holder = :person OR lease_until <= :now) {after}"
        f"ORDER BY {place} LIMIT {_PAGE}) AS head{number}"
        for number in range(queues)
    )
    whole = f"{' UNION ALL '.join(heads)} ORDER BY {place} LIMIT {_PAGE}"
    times = ["now", *(["ranks_at", "opened_at"] if following else [])]
    return (
        text(whole)
        .bindparams(*(bindparam(name, type_=UtcDateTime()) for name in times))
        .columns(ranks_at=UtcDateTime, opened_at=UtcDateTime)
    )
