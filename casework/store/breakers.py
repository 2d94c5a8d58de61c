"""Circuit breakers in the store, so that every sender knows of a destination what one has found."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from casework.breaker import Breaker, after_failure, after_success
from casework.errors import CaseworkError
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance, timestamp
from casework.store.ledger import append
from casework.store.tables import BreakerState


def breaker_of(session: Session, destination: str, *, lock: bool = False) -> Breaker:
    """A destination's breaker; one that never failed has a new one, which is not kept."""
    row = session.get(BreakerState, destination, with_for_update=lock, populate_existing=lock)
    return Breaker() if row is None else _breaker(row)


def breakers(session: Session) -> dict[str, Breaker]:
    """Every breaker that is kept, by destination."""
    return {row.destination: _breaker(row) for row in session.scalars(select(BreakerState))}


def heed_success(session: Session, destination: str, by: Provenance, now: datetime) -> None:
    """Close a destination's breaker, now that it has taken something."""
    before = breaker_of(session, destination)
    if after_success(before) == before:
        return
    before = breaker_of(session, destination, lock=True)
    after = after_success(before)
    keep_breaker(session, destination, before, after)
    _record(session, destination, before, after, {}, by, now)


def heed_failure(
    session: Session,
    destination: str,
    error: CaseworkError,
    began: datetime,
    by: Provenance,
    now: datetime,
) -> None:
    """Count a failed attempt, which ``began`` then, against its destination."""
    _make_sure(session, destination)
    before = breaker_of(session, destination, lock=True)
    after = after_failure(before, error, began, now)
    keep_breaker(session, destination, before, after)
    _record(session, destination, before, after, {"error": error.code}, by, now)


def keep_breaker(session: Session, destination: str, before: Breaker, after: Breaker) -> None:
    """Write down how a breaker stands now, if that has changed."""
    if before == after:
        return
    row = session.get_one(BreakerState, destination)
    row.failures = after.failures
    row.opened_at, row.rests_until = after.opened_at, after.rests_until
    session.add(row)
    session.flush()


def _make_sure(session: Session, destination: str) -> None:
    """Have a row to lock: two senders may find their first failure at once."""
    statement = insert(BreakerState).on_conflict_do_nothing()
    session.execute(statement, {"destination": destination, "failures": 0})


def _breaker(row: BreakerState) -> Breaker:
    return Breaker(row.failures, row.opened_at, row.rests_until)


def _record(
    session: Session,
    destination: str,
    before: Breaker,
    after: Breaker,
    data: dict[str, str],
    by: Provenance,
    now: datetime,
) -> None:
    """Say that a breaker opened or closed; that it stays as it is needs no entry."""
    was, is_now = before.opened_at is not None, after.opened_at is not None
    if was == is_now:
        return
    action = Action.BREAKER_OPENED if is_now else Action.BREAKER_CLOSED
    told = {"destination": destination, **data}
    if after.rests_until is not None:
        told["rests_until"] = timestamp(after.rests_until)
    append(session, [Draft(SYSTEM, action, told)], by, now)
