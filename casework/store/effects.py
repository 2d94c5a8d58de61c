"""What people do about effects that wait or are dead: retry them, give them up, want them now."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.effects import EffectStatus, check_move
from casework.errors import Conflict, InputError
from casework.ledger.entries import Action, Provenance, timestamp
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
    if row.status in (EffectStatus.DEAD, EffectStatus.DISCARDED):
        retry_effect(session, key, by, now)
        return True
    planned = row.not_before
    if row.status != EffectStatus.WAITING or planned is None or planned <= now:
        return False
    row.due_at, row.not_before = now, None
    session.add(row)
    record(session, row, Action.EFFECT_ADVANCED, {"planned": timestamp(planned)}, by, now)
    return True


def _undone(session: Session, row: QueuedEffect) -> bool:
    """Whether the effect that was to come after this one has been sent."""
    statement = select(col(QueuedEffect.key)).where(
        col(QueuedEffect.case_id) == row.case_id,
        col(QueuedEffect.after) == row.key,
        col(QueuedEffect.status) == EffectStatus.SENT,
    )
    return session.scalar(statement) is not None
