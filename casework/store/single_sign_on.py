"""Whom the identity provider's accounts let in, in the store."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from casework.gates import Role
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.oidc import SYSTEM as PROVIDER
from casework.store.accounts import open_session
from casework.store.identities import person_of
from casework.store.ledger import append
from casework.store.people import change_person
from casework.store.tables import Person


def enter(
    session: Session,
    account: str,
    roles: Sequence[Role] | None,
    by: Provenance,
    now: datetime,
) -> str | None:
    """Begin a session for the person an account belongs to; return its secret.

    None where it is nobody's who is active: nobody is ever made here, and that somebody tried is
    in the history. ``roles``, where their groups say which, become the person's.
    """
    found = person_of(session, PROVIDER, account)
    person = session.get(Person, found) if found else None
    if person is None or not person.active:
        # Not the account: a stranger's address has no place in a history that forgets nothing.
        data = {"person": person.id if person else ""}
        append(session, [Draft(SYSTEM, Action.SIGN_IN_REFUSED, data)], by, now)
        return None
    if roles is not None and set(roles) != set(person.roles):
        change_person(session, person.id, roles=roles, by=by, now=now)
    data = {"person": person.id, "account": account}
    append(session, [Draft(SYSTEM, Action.PROVIDER_USED, data)], by, now)
    return open_session(session, person.id, by, now)
