"""What people do about effects that wait or are dead: retry them, give them up, want them now."""

from datetime import datetime

from sqlmodel import Session

from casework.effects import EffectStatus, check_move
from casework.errors import Conflict, InputError
from casework.ledger.entries import Action, Provenance, timestamp
from casework.store.outbox import held, record, settle
from casework.store.tables import QueuedEffect


def retry_effect(session: Session, key: str, by: Provenance, now: datetime) -> QueuedEffect:
    """Have a dead effect tried again, under its own key and with all its tries.

    Raises:
        NotFound: there is no effect of this key.
        Conflict: it is not dead.
    """
    row = held(session, key)
    check_move(EffectStatus(row.status), EffectStatus.WAITING)
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


def advance_effect(session: Session, key: str, by: Provenance, now: datetime) -> bool:
    """Make an effect due now that was to come by itself later; False if it is due or settled.

    Raises:
        NotFound: there is no effect of this key.
    """
    row = held(session, key)
    planned = row.not_before
    if row.status != EffectStatus.WAITING or planned is None or planned <= now:
        return False
    row.due_at, row.not_before = now, None
    session.add(row)
    record(session, row, Action.EFFECT_ADVANCED, {"planned": timestamp(planned)}, by, now)
    return True
