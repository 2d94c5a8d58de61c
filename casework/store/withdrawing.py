"""Effects of decisions that do not stand any more: what has surely not left is cancelled."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from casework.consequences import reversal_key
from casework.effects import NOT_TAKEN, EffectKind, EffectStatus
from casework.ledger.entries import Action, Provenance
from casework.store.lookup import among
from casework.store.outbox import record, settle
from casework.store.tables import DeliveryAttempt, QueuedEffect

#: What a decision does, and what it tells of that. How far the case has come is told all the same.
_WITHDRAWN: Final = (EffectKind.ACT, EffectKind.REPLY)

#: Where an effect stands that could still be sent.
_OPEN: Final = (EffectStatus.WAITING, EffectStatus.DEAD)


def withdraw(
    session: Session, case_id: str, origins: Collection[str], by: Provenance, now: datetime
) -> set[str]:
    """Cancel what decisions were to do outside, where surely nothing of it has left.

    The case is held. What a sender has in hand, or what may have been taken although no answer
    said so, stays as it is: it is undone after it. The end of what is cancelled, which was to
    come by itself, is cancelled too.

    Returns:
        The keys of what was cancelled.
    """
    wanted, rows = set(origins), _open(session, case_id) if origins else []
    unsent = [
        each
        for each in _unsent(session, rows)
        if each.kind in _WITHDRAWN and each.data.get("origin") in wanted
    ]
    ends = {
        reversal_key(str(each.data["origin"]), each.destination)
        for each in unsent
        if each.kind == EffectKind.ACT
    }
    cancelled = unsent + _unsent(session, [each for each in rows if each.key in ends])
    for row in cancelled:
        settle(session, row, EffectStatus.CANCELLED, by, now)
        record(session, row, Action.EFFECT_CANCELLED, {"attempts": row.attempts}, by, now)
    return {row.key for row in cancelled}


def left(session: Session, case_id: str, origin: str) -> bool:
    """Whether something that a decision did or told has left, or still may."""
    statement = select(QueuedEffect).where(
        col(QueuedEffect.case_id) == case_id,
        col(QueuedEffect.kind).in_(_WITHDRAWN),
        col(QueuedEffect.status) != EffectStatus.CANCELLED,
    )
    return any(row.data.get("origin") == origin for row in session.scalars(statement))


def _open(session: Session, case_id: str) -> list[QueuedEffect]:
    """The effects of a case that could still be sent, held until the transaction ends."""
    statement = (
        select(QueuedEffect)
        .where(col(QueuedEffect.case_id) == case_id, col(QueuedEffect.status).in_(_OPEN))
        .order_by(col(QueuedEffect.key))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def _unsent(session: Session, rows: Collection[QueuedEffect]) -> list[QueuedEffect]:
    """Those of which no attempt can have got through: each was refused, or there was none."""
    statement = select(col(DeliveryAttempt.effect)).where(
        among(session, col(DeliveryAttempt.effect), [row.key for row in rows]),
        col(DeliveryAttempt.outcome).is_(None) | col(DeliveryAttempt.outcome).not_in(NOT_TAKEN),
    )
    doubtful: Iterable[str] = set(session.scalars(statement))
    return [row for row in rows if row.key not in doubtful]
