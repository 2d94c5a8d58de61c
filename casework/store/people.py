"""Who may answer at gates."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.errors import Conflict, InputError, NotFound
from casework.gates import ActorKind, Role
from casework.gates import Person as Answering
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance, timestamp
from casework.store.ledger import append
from casework.store.placements import keep_placement
from casework.store.tables import PausedRight, Person, Vendor
from casework.store.vendors import team_by_id, vendor_by_id
from casework.vendors import Phase, Reach, access_end, bounded


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
        NotFound: there is no such vendor.
    """
    if not person_id.strip():
        raise InputError("a person needs an id")
    if session.get(Person, person_id):
        raise Conflict(f"there is a person {person_id} already")
    if vendor is not None:
        vendor_by_id(session, vendor)
    person = Person(
        id=person_id,
        name=name,
        roles=_checked_roles(roles),
        queues=sorted(set(queues)),
        vendor=vendor,
        added_at=now,
    )
    session.add(person)
    keep_placement(session, person, now, now)
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
        NotFound: there is nobody with this id, or no such vendor.
    """
    person = _held(session, person_id)
    if roles is not None:
        person.roles = _checked_roles(roles)
    if queues is not None:
        person.queues = sorted(set(queues))
    if active is not None:
        person.active = active
    if vendor is not None and (vendor or None) != person.vendor:
        person.vendor = vendor_by_id(session, vendor).id if vendor else None
        person.team = None
        keep_placement(session, person, now, now)
    session.add(person)
    _record(session, Action.PERSON_CHANGED, person, by, now)
    return person


def place_person(
    session: Session,
    person_id: str,
    *,
    vendor: str | None = None,
    team: str | None = None,
    since: datetime | None = None,
    phase: str | None = None,
    by: Provenance,
    now: datetime,
) -> Person:
    """Say where somebody works from a day on, and in which phase they are from that day on.

    A team's vendor is its people's. None leaves as it is; an empty vendor means our own.

    Raises:
        InputError: the team is not the vendor's, the day is to come, or there is no such phase.
        NotFound: there is no such person, vendor or team.
    """
    person, since = _held(session, person_id), since or now
    if since > now:
        raise InputError("nobody can be placed from a day to come", hint="place them on that day")
    if team is not None:
        found = team_by_id(session, team)
        if vendor is not None and (vendor or None) != found.vendor:
            raise InputError(f"team {team} is {found.vendor or 'our own'}", hint="leave it out")
        person.vendor, person.team = found.vendor, found.id
    elif vendor is not None:
        person.vendor = vendor_by_id(session, vendor).id if vendor else None
        person.team = None
    if phase is not None:
        person.phase, person.phase_since = _checked_phase(phase), since
    session.add(person)
    keep_placement(session, person, since, now)
    data = {name: getattr(person, name) for name in ("vendor", "team", "phase")}
    data |= {"person": person.id, "since": timestamp(since)}
    append(session, [Draft(SYSTEM, Action.PERSON_PLACED, data)], by, now)
    return person


def limit_access(
    session: Session, person_id: str, until: datetime | None, by: Provenance, now: datetime
) -> Person:
    """Set the end of somebody's access; None takes it away. An end that is extended counts anew.

    Raises:
        NotFound: there is nobody with this id.
    """
    person = _held(session, person_id)
    person.access_until, person.access_ended_at = until, None
    session.add(person)
    _record(session, Action.PERSON_CHANGED, person, by, now)
    return person


def access_ends(session: Session, person: Person) -> datetime | None:
    """When somebody's access ends: with their own, or with their vendor's, whichever is first."""
    return _access_ends(person, _vendor_of(session, person))


def has_access(session: Session, person: Person, now: datetime) -> bool:
    """Whether somebody may sign in: they are active, and their access is not over."""
    until = access_ends(session, person)
    return person.active and person.access_ended_at is None and (until is None or now < until)


def reach_of(session: Session, person: Person) -> Reach:
    """How far somebody sees: the only place where a person and their vendor become queues."""
    return _reach_of(person, _vendor_of(session, person))


def people(session: Session) -> list[Person]:
    """Everybody, by id."""
    return list(session.scalars(select(Person).order_by(col(Person.id))))


def people_of(session: Session, vendor: str | None = None, team: str | None = None) -> list[Person]:
    """Everybody active whose access has not ended, of a vendor, of a team, or of both."""
    statement = select(Person).where(
        col(Person.active).is_(True), col(Person.access_ended_at).is_(None)
    )
    if vendor is not None:
        statement = statement.where(col(Person.vendor) == vendor)
    if team is not None:
        statement = statement.where(col(Person.team) == team)
    return list(session.scalars(statement.order_by(col(Person.id))))


def person_by_id(session: Session, person_id: str) -> Person:
    """One person.

    Raises:
        NotFound: there is nobody with this id.
    """
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound(f"there is no person {person_id}", hint="casework people list")
    return found


def answering(session: Session, person_id: str, kind: ActorKind) -> Answering | None:
    """A person as the guard sees them; None for nobody of that id."""
    person = session.get(Person, person_id)
    if person is None:
        return None
    withheld = _withheld(session, [person_id])[person_id]
    return _as_guarded(person, _vendor_of(session, person), kind, withheld)


def all_answering(session: Session) -> list[tuple[Person, Answering]]:
    """Everybody, by id, and as the guard sees them; in as many questions however many they are."""
    found = _with_vendors(session)
    withheld = _withheld(session, [person.id for person, _ in found])
    return [
        (person, _as_guarded(person, vendor, ActorKind.PERSON, withheld[person.id]))
        for person, vendor in found
    ]


def all_reaching(session: Session) -> list[tuple[Person, Reach]]:
    """Everybody, by id, and how far they see."""
    return [(person, _reach_of(person, vendor)) for person, vendor in _with_vendors(session)]


def _with_vendors(session: Session) -> list[tuple[Person, Vendor | None]]:
    statement = select(Person, Vendor).outerjoin(Vendor, col(Vendor.id) == col(Person.vendor))
    return [(row[0], row[1]) for row in session.execute(statement.order_by(col(Person.id)))]


def _vendor_of(session: Session, person: Person) -> Vendor | None:
    return session.get(Vendor, person.vendor) if person.vendor else None


def _access_ends(person: Person, vendor: Vendor | None) -> datetime | None:
    return access_end(person.access_until, vendor.access_until if vendor else None)


def _reach_of(person: Person, vendor: Vendor | None) -> Reach:
    return bounded(person.queues, person.vendor, vendor.queues if vendor else None)


def _as_guarded(
    person: Person, vendor: Vendor | None, kind: ActorKind, withheld: frozenset[str]
) -> Answering:
    reach = _reach_of(person, vendor)
    return Answering(
        id=person.id,
        roles=frozenset(person.roles),
        queues=reach.queues,
        active=person.active,
        kind=kind,
        access_until=_access_ends(person, vendor),
        ended=person.access_ended_at is not None,
        withheld=withheld,
        vendor=person.vendor,
        bounded_by=reach.bounded_by,
    )


def _withheld(session: Session, people: Iterable[str]) -> dict[str, frozenset[str]]:
    """What each may not do as long as rights of theirs are paused."""
    found: dict[str, frozenset[str]] = dict.fromkeys(people, frozenset())
    statement = select(col(PausedRight.person), col(PausedRight.denies)).where(
        col(PausedRight.person).in_(found), col(PausedRight.status) == "paused"
    )
    for person, denies in session.execute(statement):
        found[person] |= frozenset(denies)
    return found


def _held(session: Session, person_id: str) -> Person:
    person = session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise NotFound(f"there is no person {person_id}", hint="casework people list")
    return person


def _checked_phase(phase: str) -> str:
    if phase not in set(Phase):
        raise InputError(f"no such phase: {phase}", hint=f"phases are {', '.join(Phase)}")
    return phase


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
        "access_until": person.access_until and timestamp(person.access_until),
    }
    append(session, [Draft(SYSTEM, action, data)], by, now)
