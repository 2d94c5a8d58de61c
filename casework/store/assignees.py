"""Who may be given what: the people who answer in a queue, and those who may at one gate."""

from datetime import datetime

from sqlmodel import Session

from casework.gates import barred
from casework.policy.model import Queue
from casework.store.gates import situation
from casework.store.people import all_answering, people
from casework.store.policy import stored_bundle
from casework.store.restrictions import let_in
from casework.store.tables import Case, Gate, Person


def assignees(session: Session, gate: Gate, now: datetime) -> list[Person]:
    """Everybody who may answer at a gate now, by id."""
    case = session.get_one(Case, gate.case_id)
    terms = stored_bundle(session, gate.policy_digest).terms(gate.queue, None)
    there = situation(session, case, gate, now)
    known = let_in(session, case.id)
    return [
        person
        for person, guarded in all_answering(session)
        if (known is None or person.id in known) and barred(there, guarded, terms) is None
    ]


def workers(session: Session, queue: Queue) -> list[Person]:
    """Everybody active whose roles and queues let them answer in a queue, by id."""
    return [
        each
        for each in people(session)
        if each.active
        and queue.roles & set(each.roles)
        and ("*" in each.queues or queue.id in each.queues)
    ]
