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


def unsent(
    session: Session, case_id: str, origins: Collection[str], *, lock: bool = False
) -> list[QueuedEffect]:
    """What decisions were to do outside, where surely nothing of it has left.

    What a sender has in hand, or what may have been taken although no answer said so, is not
    among it: it is undone after it. The end of what has not left, which was to come by itself,
    is. With ``lock``, for which the case is held, it stays so until the transaction ends.
    """
    wanted, rows = set(origins), _open(session, case_id, lock=lock) if origins else []
    found = [
        each
        for each in _untaken(session, rows)
        if each.kind in _WITHDRAWN and each.data.get("origin") in wanted
    ]
    ends = {
        reversal_key(str(each.data["origin"]), each.destination)
        for each in found
        if each.kind == EffectKind.ACT
    }
    return found + _untaken(session, [each for each in rows if each.key in ends])


def withdraw(session: Session, rows: Iterable[QueuedEffect], by: Provenance, now: datetime) -> None:
    """Cancel effects that have not left; they are held."""
    for row in rows:
        settle(session, row, EffectStatus.CANCELLED, by, now)
        record(session, row, Action.EFFECT_CANCELLED, {"attempts": row.attempts}, by, now)


def left(session: Session, case_id: str, origin: str, cancelled: Collection[str] = ()) -> bool:
    """Whether something that a decision did or told has left, or still may.

    What is about to be ``cancelled`` will not.
    """
    statement = select(QueuedEffect).where(
        col(QueuedEffect.case_id) == case_id,
        col(QueuedEffect.kind).in_(_WITHDRAWN),
        col(QueuedEffect.status) != EffectStatus.CANCELLED,
    )
    rows = [row for row in session.scalars(statement) if row.key not in cancelled]
    return any(row.data.get("origin") == origin for row in rows)


def _open(session: Session, case_id: str, *, lock: bool) -> list[QueuedEffect]:
    """The effects of a case that could still be sent."""
    statement = (
        select(QueuedEffect)
        .where(col(QueuedEffect.case_id) == case_id, col(QueuedEffect.status).in_(_OPEN))
        .order_by(col(QueuedEffect.key))
        .execution_options(populate_existing=lock)
    )
    if lock:
        statement = statement.with_for_update()
    return list(session.scalars(statement))


def _untaken(session: Session, rows: Collection[QueuedEffect]) -> list[QueuedEffect]:
    """Those of which no attempt can have got through: each was refused, or there was none."""
    statement = select(col(DeliveryAttempt.effect)).where(
        among(session, col(DeliveryAttempt.effect), [row.key for row in rows]),
        col(DeliveryAttempt.outcome).is_(None) | col(DeliveryAttempt.outcome).not_in(NOT_TAKEN),
    )
    doubtful: Iterable[str] = set(session.scalars(statement))
    return [row for row in rows if row.key not in doubtful]
