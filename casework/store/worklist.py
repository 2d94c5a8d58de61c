"""What to do next: the most urgent gate for one person, queues by urgency, and the clocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import TextualSelect, and_, bindparam, false, func, literal, select, text, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, percent_used
from casework.errors import NotFound
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
    return page_of_queues(session, [queue], now, limit, after)


def page_of_queues(
    session: Session, queues: Sequence[str], now: datetime, limit: int, after: str = ""
) -> list[Listed]:
    """The same of several queues, in one order.

    Raises:
        NotFound: there is no such gate to go on from.
    """
    if not queues:
        return []
    place = _place(gate_by_id(session, after)) if after else {}
    heads = _heads(len(queues), limit, following=bool(after), claimable=False)
    found = session.execute(heads, {**_named(queues), **place})
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
) -> list[dict[str, Any]]:
    """Clocks that go on, what is due first at the top and what stands still at the end.

    ``after`` are the gate and the kind of the clock behind which to go on.

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
    due = statement.where(col(Clock.due_at).is_not(None))
    still = statement.where(col(Clock.due_at).is_(None))
    if breached:
        due = due.where(col(Clock.due_at) < now)
    if due_by is not None:
        due = due.where(col(Clock.due_at) <= due_by)
    if after and (last := _clock(session, *after)).due_at is None:
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


def _clock(session: Session, gate: str, kind: str) -> Clock:
    found = session.get(Clock, (gate, kind))
    if found is None:
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
    given, place = {**_named(queues), "person": person, "now": now}, dict[str, Any]()
    while True:
        heads = _heads(len(queues), _PAGE, following=bool(place), claimable=True)
        rows = session.execute(heads, {**given, **place}).all()
        yield from (row.id for row in rows)
        if len(rows) < _PAGE:
            return
        place = dict(rows[-1]._mapping)


def _named(queues: Sequence[str]) -> dict[str, Any]:
    return {f"q{number}": queue for number, queue in enumerate(queues)}


def _place(gate: Gate) -> dict[str, Any]:
    """Where a gate stands in the order of its queue."""
    return {name: getattr(gate, name) for name in ("severity", "ranks_at", "opened_at", "id")}


@lru_cache(maxsize=256)
def _heads(queues: int, limit: int, *, following: bool, claimable: bool) -> TextualSelect:
    """The statement for the first gates of so many queues, from a place on where it is following.

    Each queue is read from its own beginning in the order of the index. It is written out: to put
    it together anew would take longer than to answer it.
    """
    place, times = "severity, ranks_at, opened_at, id", []
    source, more = "gates", ""
    if following:
        more += f"AND ({place}) > (:severity, :ranks_at, :opened_at, :id) "
        times += ["ranks_at", "opened_at"]
    if claimable:
        source += " LEFT JOIN assignments a ON a.gate_id = id"
        more += "AND follow_up_at IS NULL "
        more += "AND (holder IS NULL OR holder = :person OR lease_until <= :now) "
        times.append("now")
    each = [
        f"SELECT {place} FROM {source} WHERE status = 'open' AND queue = :q{number} {more}"
        f"ORDER BY {place} LIMIT {limit}"
        for number in range(queues)
    ]
    wrapped = (f"SELECT * FROM ({head}) AS head{number}" for number, head in enumerate(each))
    several = f"{' UNION ALL '.join(wrapped)} ORDER BY {place} LIMIT {limit}"
    whole = each[0] if queues == 1 else several
    return (
        text(whole)
        .bindparams(*(bindparam(name, type_=UtcDateTime()) for name in times))
        .columns(ranks_at=UtcDateTime, opened_at=UtcDateTime)
    )
