"""Sending effects: several senders at once take what is due, and say what became of it.

A sender leases an effect before it sends it. One that is killed leaves a lease that runs out, and
the effect is sent again under the same key; one that was only slow may still say that it got
through.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from casework.breaker import allowed, trying
from casework.effects import Effect, EffectKind, EffectStatus, Receipt
from casework.errors import CaseworkError
from casework.ledger.entries import Action, Provenance
from casework.store.breakers import breaker_of, heed_failure, heed_success, keep_breaker
from casework.store.outbox import held, record, settle
from casework.store.tables import DeliveryAttempt, QueuedEffect

#: How long a sender may take over an effect before another one takes it for dead.
LEASE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An effect in a sender's hands: its ``number``-th attempt, after so many ``failures``."""

    effect: Effect
    number: int
    failures: int
    queued_at: datetime
    began: datetime


def claim(
    session: Session,
    destination: str,
    limit: int,
    sender: str,
    now: datetime,
    case_id: str | None = None,
) -> list[Claimed]:
    """Lease what is due for a destination, the longest due first, to one sender alone.

    The destination's breaker says how many may go; ``case_id`` asks for that case's alone. The
    attempt is written before it is made, so that one which was cut off shows.
    """
    breaker = breaker_of(session, destination, lock=True)
    may = allowed(breaker, limit, now)
    if not may:
        return []
    wanted = [col(QueuedEffect.destination) == destination]
    if case_id is not None:
        wanted.append(col(QueuedEffect.case_id) == case_id)
    statement = (
        select(QueuedEffect)
        .where(*_due(now), *wanted)
        .order_by(col(QueuedEffect.due_at), col(QueuedEffect.key))
        .limit(may)
        # SQLite knows no such lock and needs none: there a writer is alone from its beginning.
        .with_for_update(of=QueuedEffect, skip_locked=True)
    )
    rows = list(session.scalars(statement))
    if rows:
        keep_breaker(session, destination, breaker, trying(breaker, now + LEASE))
    for row in rows:
        row.attempts += 1
        row.leased_until = now + LEASE
        session.add(row)
        session.add(
            DeliveryAttempt(effect=row.key, number=row.attempts, sender=sender, began_at=now)
        )
    return [_claimed(row, now) for row in rows]


def note_sent(
    session: Session, claimed: Claimed, receipt: Receipt, by: Provenance, now: datetime
) -> bool:
    """Record that an effect was taken; False where another attempt has recorded that before.

    Raises:
        NotFound: there is no such effect.
    """
    row = held(session, claimed.effect.key)
    _end_attempt(session, claimed, now, str(EffectStatus.SENT))
    heed_success(session, row.destination, by, now)
    if row.status == EffectStatus.SENT:
        return False
    settle(session, row, EffectStatus.SENT, by, now)
    row.reference, row.error = receipt.reference, None
    undone = row.kind == EffectKind.REVERSE
    action = Action.EFFECT_REVERSED if undone else Action.EFFECT_SENT
    data = {"attempt": claimed.number, "reference": receipt.reference}
    record(session, row, action, data, by, now)
    return True


def note_failure(
    session: Session,
    claimed: Claimed,
    error: CaseworkError,
    again_at: datetime | None,
    by: Provenance,
    now: datetime,
) -> bool:
    """Record that an attempt failed, and when the next is due; None where there is none.

    Returns:
        False where another sender has taken the effect over: then only the attempt is ended.

    Raises:
        NotFound: there is no such effect.
    """
    row = held(session, claimed.effect.key)
    said = f"{error.message}; {error.hint}" if error.hint else error.message
    _end_attempt(session, claimed, now, error.code, said)
    heed_failure(session, row.destination, error, claimed.began, by, now)
    if row.status != EffectStatus.WAITING or row.attempts != claimed.number:
        return False
    row.failures += 1
    row.error, row.leased_until = error.code, None
    session.add(row)
    if again_at is not None:
        row.due_at = again_at
        return True
    settle(session, row, EffectStatus.DEAD, by, now)
    data = {"attempts": row.attempts, "error": error.code}
    record(session, row, Action.EFFECT_FAILED, data, by, now)
    return True


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What may be sent now: it waits, its time has come, nobody has it, nothing goes before it."""
    earlier = aliased(QueuedEffect)
    before = exists().where(
        col(earlier.key) == col(QueuedEffect.after), col(earlier.status) == EffectStatus.WAITING
    )
    return (
        col(QueuedEffect.status) == EffectStatus.WAITING,
        col(QueuedEffect.due_at) <= now,
        or_(col(QueuedEffect.leased_until).is_(None), col(QueuedEffect.leased_until) <= now),
        ~before,
    )


def _claimed(row: QueuedEffect, now: datetime) -> Claimed:
    effect = Effect(
        key=row.key,
        kind=EffectKind(row.kind),
        destination=row.destination,
        case_id=row.case_id,
        data=dict(row.data),
        not_before=row.not_before,
        after=row.after,
    )
    return Claimed(effect, row.attempts, row.failures, row.queued_at, now)


def _end_attempt(
    session: Session, claimed: Claimed, now: datetime, outcome: str, message: str = ""
) -> None:
    attempt = session.get_one(DeliveryAttempt, (claimed.effect.key, claimed.number))
    attempt.ended_at, attempt.outcome, attempt.message = now, outcome, message
    session.add(attempt)


def due_destinations(session: Session, now: datetime, case_id: str | None = None) -> list[str]:
    """Destinations for which something may be sent now, of one case or of all."""
    statement = select(col(QueuedEffect.destination)).where(*_due(now)).distinct()
    if case_id is not None:
        statement = statement.where(col(QueuedEffect.case_id) == case_id)
    return sorted(session.scalars(statement))
