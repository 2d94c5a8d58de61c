"""Who may be given what: the people who answer in a queue, and those who may at one gate."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from casework.gates import barred
from casework.policy.model import Queue
from casework.store.gates import situation
from casework.store.people import all_answering, all_reaching
from casework.store.policy import stored_bundle
from casework.store.restrictions import let_in
from casework.store.tables import Case, Gate, Person
from casework.vendors import EVERY_QUEUE, sees


def assignees(
    session: Session, gate: Gate, now: datetime, bounded_by: str | None = None
) -> list[Person]:
    """Everybody who may answer at a gate now, by id; of one vendor alone, where that is named."""
    case = session.get_one(Case, gate.case_id)
    terms = stored_bundle(session, gate.policy_digest).terms(gate.queue, None)
    there = situation(session, case, gate, now)
    known = let_in(session, case.id)
    return [
        person
        for person, guarded in all_answering(session)
        if (known is None or person.id in known)
        and sees(bounded_by, person.vendor)
        and barred(there, guarded, terms) is None
    ]


def workers(
    session: Session, queues: Collection[Queue], bounded_by: str | None = None
) -> list[Person]:
    """Everybody active whose roles and queues let them answer in one of some queues, by id.

    Of one vendor alone, where that is named.
    """
    return [
        person
        for person, reach in all_reaching(session)
        if person.active
        and any(
            queue.roles & set(person.roles) and not reach.queues.isdisjoint({EVERY_QUEUE, queue.id})
            for queue in queues
        )
        and sees(bounded_by, person.vendor)
    ]
