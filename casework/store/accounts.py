"""Signing in and out, in the store."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select
from sqlmodel import Session, col

from casework.accounts import (
    LINK_LASTS,
    fingerprint,
    hash_password,
    new_secret,
    password_fits,
    session_ends,
    wait_after,
)
from casework.errors import NotFound, SignInRefused
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.store.ledger import append
from casework.store.people import has_access, reach_of
from casework.store.tables import Account, ConsoleSession, Person, SignInLink, Vendor
from casework.vendors import Reach

#: A session's last use is written down this often at the most.
_NOTED_EVERY: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with a session that is in force, and how far they see."""

    person: Person
    reach: Reach
    opened_at: datetime
    used_at: datetime


def set_password(
    session: Session, person: str, password: str, by: Provenance, now: datetime
) -> None:
    """Give somebody a password, and end the sessions opened with the one before.

    Raises:
        NotFound: there is nobody with this id.
        InputError: the password is too short or too long.
    """
    _person(session, person)
    hashed = hash_password(password)
    account = session.get(Account, person, with_for_update=True)
    if account is None:
        account = Account(person=person, password=hashed, changed_at=now)
    account.password, account.changed_at = hashed, now
    account.failures, account.closed_until = 0, None
    session.add(account)
    _record(session, Action.PASSWORD_SET, person, by, now)
    end_sessions(session, person, by, now)


def has_password(session: Session) -> bool:
    """Whether anybody can sign in without a link."""
    return session.scalar(select(exists().select_from(Account))) or False


def make_link(session: Session, person: str, by: Provenance, now: datetime) -> str:
    """Make a secret that signs somebody in once, soon; the store keeps its digest alone.

    Raises:
        NotFound: there is nobody with this id.
    """
    _person(session, person)
    secret = new_secret()
    session.add(
        SignInLink(fingerprint=fingerprint(secret), person=person, ends_at=now + LINK_LASTS)
    )
    _record(session, Action.LINK_MADE, person, by, now)
    return secret


def check_password(
    session: Session, person: str, password: str, by: Provenance, now: datetime
) -> bool:
    """Whether a password is the person's, who must be active and not waiting after wrong ones.

    What is wrong is counted and recorded, so the caller commits either way.
    """
    account = session.get(Account, person, with_for_update=True)
    waiting = (
        account is not None and account.closed_until is not None and now < account.closed_until
    )
    fits = password_fits(account.password if account else None, password)
    if fits and not waiting and _active(session, person, now):
        assert account is not None
        account.failures, account.closed_until = 0, None
        session.add(account)
        return True
    if account is not None and not waiting:
        account.failures += 1
        wait = wait_after(account.failures)
        account.closed_until = now + wait if wait else None
        session.add(account)
    known = session.get(Person, person) is not None
    _record(session, Action.SIGN_IN_REFUSED, person if known else "", by, now)
    return False


def use_link(session: Session, secret: str, by: Provenance, now: datetime) -> str:
    """Take a one-time link; return whom it signs in.

    Raises:
        SignInRefused: it does not exist, has been used, or is too old.
    """
    link = session.get(SignInLink, fingerprint(secret), with_for_update=True)
    stands = link is not None and not link.used_at and now < link.ends_at
    if link is None or not stands or not _active(session, link.person, now):
        raise SignInRefused(
            "this link has been used, or is too old",
            hint="an administrator makes another: casework people link-in ID",
        )
    link.used_at = now
    session.add(link)
    _record(session, Action.LINK_USED, link.person, by, now)
    return link.person


def open_session(session: Session, person: str, by: Provenance, now: datetime) -> str:
    """Begin a session; return its secret, of which the store keeps the digest."""
    secret = new_secret()
    session.add(
        ConsoleSession(fingerprint=fingerprint(secret), person=person, opened_at=now, used_at=now)
    )
    _record(session, Action.SESSION_OPENED, person, by, now)
    return secret


def signed_in(session: Session, secret: str, now: datetime) -> SignedIn | None:
    """Who has a session in force; None where it ended, was revoked or never was."""
    statement = (
        select(ConsoleSession, Person, Vendor)  # the vendor, so that it is at hand
        .join(Person, col(Person.id) == col(ConsoleSession.person))
        .outerjoin(Vendor, col(Vendor.id) == col(Person.vendor))
        .where(col(ConsoleSession.fingerprint) == fingerprint(secret))
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        return None
    kept, person, _ = found
    if kept.revoked_at or now >= session_ends(kept.opened_at, kept.used_at):
        return None
    if not has_access(session, person, now):
        return None
    return SignedIn(person, reach_of(session, person), kept.opened_at, kept.used_at)


def is_to_be_noted(found: SignedIn, now: datetime) -> bool:
    """Whether a session's last use was written down long enough ago to do it again."""
    return now - found.used_at >= _NOTED_EVERY


def note_use(session: Session, secret: str, now: datetime) -> None:
    """Write down that a session is in use. No history: the session's opening has its entry."""
    found = session.get(ConsoleSession, fingerprint(secret), with_for_update=True)
    if found is not None and found.used_at < now:
        found.used_at = now
        session.add(found)


def end_session(session: Session, secret: str, by: Provenance, now: datetime) -> None:
    """Sign out; safe to repeat."""
    found = session.get(ConsoleSession, fingerprint(secret), with_for_update=True)
    if found is not None and found.revoked_at is None:
        found.revoked_at = now
        session.add(found)
        _record(session, Action.SESSION_ENDED, found.person, by, now)


def end_sessions(session: Session, person: str, by: Provenance, now: datetime) -> int:
    """End every session of somebody; return how many were in force."""
    statement = (
        select(ConsoleSession)
        .where(col(ConsoleSession.person) == person, col(ConsoleSession.revoked_at).is_(None))
        .with_for_update()
    )
    open_ones = [
        each
        for each in session.scalars(statement)
        if now < session_ends(each.opened_at, each.used_at)
    ]
    for each in open_ones:
        each.revoked_at = now
        session.add(each)
    if open_ones:
        _record(session, Action.SESSION_ENDED, person, by, now, sessions=len(open_ones))
    return len(open_ones)


def _person(session: Session, person: str) -> Person:
    found = session.get(Person, person)
    if found is None:
        raise NotFound(f"there is no person {person}", hint="casework people list")
    return found


def _active(session: Session, person: str, now: datetime) -> bool:
    found = session.get(Person, person)
    return found is not None and has_access(session, found, now)


def _record(
    session: Session,
    action: Action,
    person: str,
    by: Provenance,
    now: datetime,
    **data: int,
) -> None:
    append(session, [Draft(SYSTEM, action, {"person": person, **data})], by, now)
