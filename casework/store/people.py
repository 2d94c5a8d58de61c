"""Who may answer at gates."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.errors import Conflict, InputError, NotFound
from casework.gates import ActorKind, Role
from casework.gates import Person as Answering
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.ledger import append
from casework.store.tables import Person


def add_person(
    session: Session,
    person_id: str,
    *,
    name: str,
    roles: Iterable[str],
    queues: Iterable[str],
    by: Provenance,
    now: datetime,
    vendor: str | None = None,
) -> Person:
    """Add someone; ids are never used again for somebody else.

    Raises:
        Conflict: the id is taken.
        InputError: a role does not exist, or the id is empty.
    """
    if not person_id.strip():
        raise InputError("a person needs an id")
    if session.get(Person, person_id):
        raise Conflict(f"there is a person {person_id} already")
    person = Person(
        id=person_id,
        name=name,
        roles=_checked_roles(roles),
        queues=sorted(set(queues)),
        vendor=vendor,
        added_at=now,
    )
    session.add(person)
    _record(session, Action.PERSON_ADDED, person, by, now)
    return person


def change_person(
    session: Session,
    person_id: str,
    *,
    roles: Iterable[str] | None = None,
    queues: Iterable[str] | None = None,
    active: bool | None = None,
    vendor: str | None = None,
    by: Provenance,
    now: datetime,
) -> Person:
    """Change what someone may do; None leaves it as it is, an empty vendor means our own.

    Raises:
        NotFound: there is nobody with this id.
    """
    person = session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise NotFound(f"there is no person {person_id}", hint="casework people list")
    if roles is not None:
        person.roles = _checked_roles(roles)
    if queues is not None:
        person.queues = sorted(set(queues))
    if active is not None:
        person.active = active
    if vendor is not None:
        person.vendor = vendor or None
    session.add(person)
    _record(session, Action.PERSON_CHANGED, person, by, now)
    return person


def people(session: Session) -> list[Person]:
    """Everybody, by id."""
    return list(session.scalars(select(Person).order_by(col(Person.id))))


def people_of(session: Session, vendor: str) -> list[str]:
    """The ids of everybody active who works for a vendor."""
    statement = select(col(Person.id)).where(
        col(Person.vendor) == vendor, col(Person.active).is_(True)
    )
    return list(session.scalars(statement.order_by(col(Person.id))))


def answering(session: Session, person_id: str, kind: ActorKind) -> Answering | None:
    """A person as the guard sees them; None for nobody of that id."""
    person = session.get(Person, person_id)
    if person is None:
        return None
    return Answering(
        id=person.id,
        roles=frozenset(person.roles),
        queues=frozenset(person.queues),
        active=person.active,
        kind=kind,
    )


def _checked_roles(roles: Iterable[str]) -> list[str]:
    chosen = sorted(set(roles))
    if unknown := [role for role in chosen if role not in set(Role)]:
        raise InputError(f"no such role: {', '.join(unknown)}", hint=f"roles are {', '.join(Role)}")
    if not chosen:
        raise InputError("a person needs a role", hint=f"roles are {', '.join(Role)}")
    return chosen


def _record(
    session: Session, action: Action, person: Person, by: Provenance, now: datetime
) -> None:
    data = {
        "person": person.id,
        "roles": person.roles,
        "queues": person.queues,
        "active": person.active,
        "vendor": person.vendor,
    }
    append(session, [Draft(SYSTEM, action, data)], by, now)
