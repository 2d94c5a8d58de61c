"""The end of people's access, and its bounds: when and where they are, and carrying them out."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from casework.ledger.entries import SYSTEM, Action, Draft, Provenance, timestamp
from casework.store.accounts import end_sessions
from casework.store.clocks import restart_clocks
from casework.store.gates import held, let_go, record
from casework.store.ledger import append
from casework.store.people import access_ends, reach_of
from casework.store.tables import Assignment, Gate, Person, Vendor
from casework.store.vendors import give_queues
from casework.vendors import EVERY_QUEUE


def due_access(session: Session, now: datetime) -> list[str]:
    """People whose access is over by now, and of whom that has not been carried out."""
    statement = (
        select(col(Person.id))
        .outerjoin(Vendor, col(Vendor.id) == col(Person.vendor))
        .where(
            col(Person.access_ended_at).is_(None),
            or_(col(Person.access_until) <= now, col(Vendor.access_until) <= now),
        )
        .order_by(col(Person.id))
    )
    return list(session.scalars(statement))


def end_access(session: Session, person: str, by: Provenance, now: datetime) -> bool:
    """End somebody's sessions and give back what they hold; False where it was done already.

    The guard has refused them since the moment itself; this is what does not ask the guard.
    """
    found = session.get_one(Person, person, with_for_update=True, populate_existing=True)
    until = access_ends(session, found)
    if found.access_ended_at is not None or until is None or until > now:
        return False
    found.access_ended_at = now
    session.add(found)
    given_back = _give_back(session, person, "access", by, now)
    end_sessions(session, person, by, now)
    data = {"person": person, "until": timestamp(until), "gates": given_back}
    append(session, [Draft(SYSTEM, Action.ACCESS_ENDED, data)], by, now)
    return True


def bound_vendor(
    session: Session, vendor: str, queues: Iterable[str], by: Provenance, now: datetime
) -> int:
    """Give a vendor the queues beyond which its people see nothing; ``*`` takes the limit away.

    Its people give back what they have elsewhere; who has it in hand would not see it any more.

    Returns:
        How many gates they have given back.

    Raises:
        InputError: no queue is named.
        NotFound: there is no such vendor.
    """
    give_queues(session, vendor, queues, by, now)
    given_back = 0
    for person in session.scalars(select(Person).where(col(Person.vendor) == vendor)).all():
        within = reach_of(session, person).queues
        if EVERY_QUEUE not in within:
            elsewhere = col(Gate.queue).not_in(within)
            given_back += _give_back(session, person.id, "vendor", by, now, elsewhere)
    return given_back


def _give_back(
    session: Session,
    person: str,
    because: str,
    by: Provenance,
    now: datetime,
    *where: ColumnElement[bool],
) -> int:
    """Let go of the gates that somebody has, claimed or assigned; return how many."""
    holding = (
        select(col(Assignment.gate_id))
        .join(Gate, col(Gate.id) == col(Assignment.gate_id))
        .where(col(Assignment.holder) == person, *where)
    )
    gates = session.scalars(holding.order_by(col(Assignment.case_id))).all()
    for gate in gates:
        _, found = held(session, gate)
        if let_go(session, gate):
            restart_clocks(session, gate, now)
        data = {"person": person, "because": because}
        record(session, found, Action.GATE_RELEASED, data, by, now)
    return len(gates)
