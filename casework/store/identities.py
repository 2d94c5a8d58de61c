"""Whose an account in another system is."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.errors import Conflict, InputError, NotFound
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.ledger import append
from casework.store.tables import Identity, Person


def link(
    session: Session, person: str, system: str, external_id: str, by: Provenance, now: datetime
) -> Identity:
    """Say that an account belongs to a person; saying it again changes nothing.

    Raises:
        NotFound: there is nobody with this id.
        Conflict: the account is somebody else's.
        InputError: the system or the account is not named.
    """
    if not system.strip() or not external_id.strip():
        raise InputError("an account has a system and an id there")
    if session.get(Person, person) is None:
        raise NotFound(f"there is no person {person}", hint="casework people list")
    known = session.get(Identity, (system, external_id), with_for_update=True)
    if known is not None:
        if known.person != person:
            raise Conflict(
                f"{external_id} in {system} is {known.person}'s",
                hint=f"casework people unlink {known.person} --system {system} --id {external_id}",
            )
        return known
    identity = Identity(system=system, external_id=external_id, person=person, linked_at=now)
    session.add(identity)
    session.flush()
    _record(session, Action.IDENTITY_LINKED, identity, by, now)
    return identity


def unlink(
    session: Session, person: str, system: str, external_id: str, by: Provenance, now: datetime
) -> None:
    """Say that an account is no longer a person's.

    Raises:
        NotFound: it is not theirs.
    """
    known = session.get(Identity, (system, external_id), with_for_update=True)
    if known is None or known.person != person:
        raise NotFound(
            f"{external_id} in {system} is not {person}'s", hint="casework people accounts"
        )
    session.delete(known)
    session.flush()
    _record(session, Action.IDENTITY_UNLINKED, known, by, now)


def person_of(session: Session, system: str, external_id: str) -> str | None:
    """The person an account belongs to; None where nobody has said."""
    known = session.get(Identity, (system, external_id))
    return None if known is None else known.person


def identities(session: Session, person: str | None = None) -> list[Identity]:
    """The accounts of a person, or of everybody."""
    statement = select(Identity).order_by(
        col(Identity.person), col(Identity.system), col(Identity.external_id)
    )
    if person is not None:
        statement = statement.where(col(Identity.person) == person)
    return list(session.scalars(statement))


def _record(
    session: Session, action: Action, identity: Identity, by: Provenance, now: datetime
) -> None:
    data = {
        "person": identity.person,
        "system": identity.system,
        "external_id": identity.external_id,
    }
    append(session, [Draft(SYSTEM, action, data)], by, now)
