"""Tokens of programs, in the store: making, finding, revoking."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from casework.accounts import fingerprint
from casework.errors import NotFound
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.ledger import append
from casework.store.people import has_access, reach_of
from casework.store.tables import Person, Token, Vendor
from casework.tokens import checked_end, checked_name, checked_scopes, new_token, token_id
from casework.vendors import Reach

#: A token's last use is written down this often at the most.
_NOTED_EVERY: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Request:
    """A token that somebody wants: for whom, what it is called, what it allows, how long."""

    person: str
    name: str
    scopes: tuple[str, ...]
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token in force, the person it acts for, and how far they see."""

    token: Token
    person: Person
    reach: Reach


def make_token(
    session: Session, wanted: Request, by: Provenance, now: datetime
) -> tuple[Token, str]:
    """Make a token; return it and its secret, of which the store keeps the digest alone.

    Raises:
        NotFound: there is nobody with this id.
        InputError: its name, scopes or length cannot be used.
    """
    if session.get(Person, wanted.person) is None:
        raise NotFound(f"there is no person {wanted.person}", hint="casework people list")
    secret = new_token()
    token = Token(
        id=token_id(secret),
        fingerprint=fingerprint(secret),
        person=wanted.person,
        name=checked_name(wanted.name),
        scopes=checked_scopes(wanted.scopes),
        made_by=by.actor,
        made_at=now,
        ends_at=checked_end(wanted.lasts, now),
    )
    session.add(token)
    _record(session, Action.TOKEN_MADE, token, by, now)
    return token, secret


def bearer(session: Session, secret: str, now: datetime) -> Bearer | None:
    """Whom a token acts for; None where it or their access has ended, or there never was one."""
    token = session.get(Token, token_id(secret))
    if token is None or not compare_digest(token.fingerprint, fingerprint(secret)):
        return None
    if token.revoked_at or now >= token.ends_at:
        return None
    statement = (
        select(Person, Vendor)  # the vendor, so that it is at hand
        .outerjoin(Vendor, col(Vendor.id) == col(Person.vendor))
        .where(col(Person.id) == token.person)
    )
    found = session.execute(statement).one_or_none()
    if found is None or not has_access(session, found[0], now):
        return None
    return Bearer(token, found[0], reach_of(session, found[0]))


def is_to_be_noted(token: Token, now: datetime) -> bool:
    """Whether a token's last use was written down long enough ago to do it again."""
    return token.used_at is None or now - token.used_at >= _NOTED_EVERY


def note_token_use(session: Session, token: str, now: datetime) -> None:
    """Write down that a token is in use. No history: what is done with it has its entries."""
    found = session.get(Token, token, with_for_update=True)
    if found is not None and is_to_be_noted(found, now):
        found.used_at = now
        session.add(found)


def tokens(session: Session, person: str | None = None) -> list[Token]:
    """The tokens of a person, or of everybody, the newest first."""
    statement = select(Token).order_by(col(Token.made_at).desc(), col(Token.id))
    if person is not None:
        statement = statement.where(col(Token.person) == person)
    return list(session.scalars(statement))


def revoke_token(
    session: Session, token: str, by: Provenance, now: datetime, person: str | None = None
) -> Token:
    """End a token now; safe to repeat. With ``person``, only where it is theirs.

    Raises:
        NotFound: there is no such token.
    """
    found = session.get(Token, token, with_for_update=True)
    if found is None or person not in (None, found.person):
        raise NotFound(f"there is no token {token}", hint="casework tokens list")
    if found.revoked_at is None:
        found.revoked_at, found.revoked_by = now, by.actor
        session.add(found)
        _record(session, Action.TOKEN_REVOKED, found, by, now)
    return found


def _record(session: Session, action: Action, token: Token, by: Provenance, now: datetime) -> None:
    data = {
        "token": token.id,
        "person": token.person,
        "scopes": token.scopes,
        "ends_at": token.ends_at.isoformat(),
    }
    append(session, [Draft(SYSTEM, action, data)], by, now)
