"""What to do next: the most urgent gate for one person, queues by urgency, and the clocks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, percent_used
from casework.errors import NotFound
from casework.gates import GateStatus, Person, barred
from casework.store.clocks import clock_of, promise_of
from casework.store.gates import gate_by_id, live_holder, situation
from casework.store.policy import stored_bundle
from casework.store.restrictions import check_known, known_to
from casework.store.tables import Assignment, Case, Clock, Gate

#: Gates of each queue that are looked at in one go.
_PAGE: Final = 20

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


def next_gate(
    session: Session, person: Person, now: datetime, *, sparing: bool = False
) -> Gate | None:
    """The gate that this person should look at next; None where nothing waits for them.

    The most severe comes first, then what is due first, then the oldest. What another has, or what
    is on hold, is passed over; sparing them, what is of a marked category too.
    """
    places = _places(session, person)
    wanted = [known_to(col(Gate.case_id), person.id)]
    if sparing:
        wanted.append(~_is_marked(session))
    for case, gate in _free(session, places, person.id, now, wanted) if places else ():
        terms = stored_bundle(session, gate.policy_digest).terms(gate.queue, None)
        if barred(situation(session, case, gate, now), person, terms) is None:
            return gate
    return None


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
    statement = (
        select(Gate, Case, Clock, Assignment)
        .join(Case, col(Case.id) == col(Gate.case_id))
        .outerjoin(Clock, _DECIDING)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(IS_OPEN, col(Gate.queue).in_(queues))
        .where(known_to(col(Gate.case_id), viewer))
        .order_by(*URGENCY)
        .limit(limit)
    )
    if after:
        last = gate_by_id(session, after)
        check_known(session, last.case_id, after, viewer)
        statement = statement.where(tuple_(*URGENCY) > _place(last))
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


def _places(session: Session, person: Person) -> dict[str, list[str] | None]:
    """Queues where somebody of these roles answers, with the policies under which they do.

    None are all under which gates wait.
    """
    policies, found = _policies(session), dict[str, list[str] | None]()
    for policy in policies:
        for queue in stored_bundle(session, policy).queues.values():
            named = "*" in person.queues or queue.id in person.queues
            if named and person.roles & queue.roles:
                found[queue.id] = [*(found.get(queue.id) or ()), policy]
    return {queue: None if under == policies else under for queue, under in found.items()}


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


def _is_marked(session: Session) -> ColumnElement[bool]:
    """Whether the rule that brought a case to its gate is of a category that is marked."""
    marked = [
        (policy, rule.id)
        for policy in _policies(session)
        for bundle in [stored_bundle(session, policy)]
        for rule in bundle.rules
        if bundle.marked(rule.id)
    ]
    rule = tuple_(col(Gate.policy_digest), func.coalesce(col(Case.rule_id), ""))
    return exists().where(col(Case.id) == col(Gate.case_id), rule.in_(marked))


def _free(
    session: Session,
    places: Mapping[str, list[str] | None],
    person: str,
    now: datetime,
    wanted: Sequence[ColumnElement[bool]],
) -> Iterator[tuple[Case, Gate]]:
    """Open gates that are free or this person's own, and not on hold, by urgency."""
    after: Any = None
    while True:
        heads = [
            _head(queue, under, person, now, after).where(*wanted)
            for queue, under in places.items()
        ]
        each = union_all(*(select(head.subquery()) for head in heads)).subquery()
        statement = (
            select(Case, Gate)
            .join(Case, col(Case.id) == col(Gate.case_id))
            .where(col(Gate.id).in_(select(each.c.id).order_by(*each.c).limit(_PAGE)))
            .order_by(*URGENCY)
        )
        rows = session.execute(statement).all()
        yield from ((case, gate) for case, gate in rows)
        if len(rows) < _PAGE:
            return
        after = _place(rows[-1][1])


def _head(
    queue: str, under: list[str] | None, person: str, now: datetime, after: Any
) -> Select[Any]:
    """The beginning of one queue, from the place ``after`` on, as its index has it."""
    free = or_(
        col(Assignment.holder).is_(None),
        col(Assignment.holder) == person,
        col(Assignment.lease_until) <= now,
    )
    statement = (
        select(*URGENCY)
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Gate.id))
        .where(IS_OPEN, col(Gate.queue) == queue, free, col(Assignment.follow_up_at).is_(None))
    )
    if under is not None:
        statement = statement.where(col(Gate.policy_digest).in_(under))
    if after is not None:
        statement = statement.where(tuple_(*URGENCY) > after)
    return statement.order_by(*URGENCY).limit(_PAGE)


def _place(gate: Gate) -> tuple[Any, ...]:
    """Where a gate stands in the order of its queue."""
    return gate.severity, gate.ranks_at, gate.opened_at, gate.id
