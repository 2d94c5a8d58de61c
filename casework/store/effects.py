"""What people do about effects that wait or are dead: retry them, give them up, want them now."""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlmodel import Session, col

from casework.breaker import rested
from casework.effects import EffectStatus, check_move
from casework.errors import Conflict, InputError
from casework.ledger.entries import Action, Provenance, timestamp
from casework.store.breakers import breaker_of, keep_breaker
from casework.store.outbox import held, record, settle
from casework.store.tables import QueuedEffect


def retry_effect(session: Session, key: str, by: Provenance, now: datetime) -> QueuedEffect:
    """Have a dead or discarded effect tried again, under its own key and with all its tries.

    Raises:
        NotFound: there is no effect of this key.
        Conflict: it waits or was sent, or what it does has been undone since.
    """
    row = held(session, key)
    check_move(EffectStatus(row.status), EffectStatus.WAITING)
    if _undone(session, row):
        raise Conflict(
            f"what effect {key} does has been undone since", hint="decide the case anew instead"
        )
    row.status, row.failures, row.due_at = EffectStatus.WAITING, 0, now
    row.settled_at, row.settled_by = None, None
    session.add(row)
    record(session, row, Action.EFFECT_RETRIED, {"error": row.error}, by, now)
    return row


def retry_destination(session: Session, destination: str, by: Provenance, now: datetime) -> int:
    """Have all that failed at a destination tried again now, because it has been mended.

    Dead effects get all their tries again, but for those whose action has been undone since; those
    that wait after a failure wait no longer; and an open breaker lets the next one try it out.

    Returns:
        How many effects are due now that were not.
    """
    statement = select(col(QueuedEffect.key)).where(
        col(QueuedEffect.destination) == destination,
        or_(
            col(QueuedEffect.status) == EffectStatus.DEAD,
            and_(
                col(QueuedEffect.status) == EffectStatus.WAITING,
                col(QueuedEffect.failures) > 0,
                col(QueuedEffect.due_at) > now,
            ),
        ),
    )
    keys = session.scalars(statement.order_by(col(QueuedEffect.key))).all()
    tried = [key for key in keys if _again(session, key, by, now)]
    before = breaker_of(session, destination, lock=True)
    keep_breaker(session, destination, before, rested(before))
    return len(tried)


def _again(session: Session, key: str, by: Provenance, now: datetime) -> bool:
    row = held(session, key)
    if row.status == EffectStatus.DEAD and not _undone(session, row):
        retry_effect(session, key, by, now)
        return True
    if row.status != EffectStatus.WAITING or (row.leased_until and row.leased_until > now):
        return False  # it has come to an end meanwhile, or a sender has it in hand
    row.failures, row.due_at = 0, now
    session.add(row)
    record(session, row, Action.EFFECT_RETRIED, {"error": row.error}, by, now)
    return True


def discard_effect(
    session: Session, key: str, reason: str, by: Provenance, now: datetime
) -> QueuedEffect:
    """Give an effect up, for a reason that stays in the history.

    Raises:
        NotFound: there is no effect of this key.
        Conflict: it has been sent or given up, or a sender has it in hand.
        InputError: no reason is given.
    """
    if not reason.strip():
        raise InputError("an effect is discarded for a reason", hint='--reason "..."')
    row = held(session, key)
    if row.leased_until is not None and row.leased_until > now:
        raise Conflict(
            f"effect {key} is being sent", hint=f"look again: casework effects show {key}"
        )
    settle(session, row, EffectStatus.DISCARDED, by, now)
    record(session, row, Action.EFFECT_DISCARDED, {"reason": reason.strip()}, by, now)
    return row


def want_now(session: Session, key: str, by: Provenance, now: datetime) -> bool:
    """Have an effect sent now that was to come by itself later, or that nobody tries any more.

    Returns:
        False if it is on its way already, or was sent.

    Raises:
        NotFound: there is no effect of this key.
    """
    row = held(session, key)
    if not can_come_now(row, now):
        return False
    planned = row.not_before
    if row.status != EffectStatus.WAITING or planned is None:
        retry_effect(session, key, by, now)
        return True
    row.due_at, row.not_before = now, None
    session.add(row)
    record(session, row, Action.EFFECT_ADVANCED, {"planned": timestamp(planned)}, by, now)
    return True


def can_come_now(row: QueuedEffect, now: datetime) -> bool:
    """Whether an effect comes by itself later, or not any more, and so could be had now."""
    if row.status == EffectStatus.WAITING:
        return row.not_before is not None and row.not_before > now
    return row.status in (EffectStatus.DEAD, EffectStatus.DISCARDED)


def _undone(session: Session, row: QueuedEffect) -> bool:
    """Whether the effect that was to come after this one has been sent."""
    statement = select(col(QueuedEffect.key)).where(
        col(QueuedEffect.case_id) == row.case_id,
        col(QueuedEffect.after) == row.key,
        col(QueuedEffect.status) == EffectStatus.SENT,
    )
    return session.scalar(statement) is not None
