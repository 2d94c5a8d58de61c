"""The outbox: what is to be done outside, written with what caused it, and looked at."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

# PostgreSQL's INSERT says ON CONFLICT in the same words as SQLite's, and is rendered for both.
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from casework.canonical import digest
from casework.effects import Effect, EffectStatus, check_move
from casework.errors import NotFound
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance, timestamp
from casework.store.desk import was_in
from casework.store.keyset import behind
from casework.store.ledger import append
from casework.store.restrictions import known_to
from casework.store.tables import Case, DeliveryAttempt, QueuedEffect


def enqueue(session: Session, effects: Sequence[Effect], by: Provenance, now: datetime) -> int:
    """Write effects into the outbox; one whose key is known already is left as it is.

    Whoever queues for more than 64 cases at once holds those cases locked, as ``append`` asks.

    Returns:
        How many were new.
    """
    if not effects:
        return 0
    statement = insert(QueuedEffect).on_conflict_do_nothing().returning(col(QueuedEffect.key))
    # Sorted, so that two writers of the same effects cannot wait for each other.
    rows = [_row(effect, now) for effect in sorted(effects, key=lambda effect: effect.key)]
    new = set(session.scalars(statement, rows))
    # A key given twice in one call is queued once.
    first = {effect.key: effect for effect in reversed(effects)}
    append(session, [_queued(effect) for key, effect in first.items() if key in new], by, now)
    return len(new)


def effect_by_key(session: Session, key: str, *, lock: bool = False) -> QueuedEffect:
    """One effect.

    Raises:
        NotFound: there is no effect of this key.
    """
    found = session.get(QueuedEffect, key, with_for_update=lock, populate_existing=lock)
    if found is None:
        raise NotFound(f"there is no effect {key}", hint="casework effects list --status all")
    return found


def list_effects(
    session: Session,
    *,
    status: EffectStatus | None = None,
    destination: str | None = None,
    case_id: str | None = None,
    limit: int = 50,
    offset: int = 0,
    after: str = "",
    viewer: str | None = None,
    queues: Collection[str] | None = None,
) -> list[QueuedEffect]:
    """Effects, those that are due first at the head, from behind the one of key ``after``.

    A ``viewer`` is shown none of cases that they may not know of; with ``queues`` those alone of
    cases that are or were in one of these.
    """
    wanted = {"status": status, "destination": destination, "case_id": case_id}
    table = QueuedEffect.__table__  # type: ignore[attr-defined]
    statement = select(QueuedEffect).order_by(table.c.due_at, table.c.key)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(table.c[name] == value)
    if after:
        order = (table.c.due_at, table.c.key)
        statement = behind(session, statement, order, table.c.key == after, after)
    if viewer is not None:
        of_case = col(QueuedEffect.case_id)
        statement = statement.where(or_(of_case.is_(None), known_to(of_case, viewer)))
    if queues is not None:
        statement = statement.where(was_in(col(QueuedEffect.case_id), queues))
    return list(session.scalars(statement.limit(limit).offset(offset)))


def count_effects(session: Session) -> list[dict[str, Any]]:
    """How many ``effects`` there are of each ``kind``, ``destination`` and ``status``."""
    names = ("kind", "destination", "status")
    columns = [col(getattr(QueuedEffect, name)) for name in names]
    statement = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    return [dict(zip((*names, "effects"), row, strict=True)) for row in session.execute(statement)]


def attempts_of(session: Session, key: str) -> list[DeliveryAttempt]:
    """Every attempt to send an effect, oldest first."""
    statement = select(DeliveryAttempt).where(col(DeliveryAttempt.effect) == key)
    return list(session.scalars(statement.order_by(col(DeliveryAttempt.number))))


def last_failure(session: Session, destination: str) -> str | None:
    """What came of the newest attempt that failed at a destination, with the way out."""
    statement = (
        select(col(DeliveryAttempt.message))
        .join(QueuedEffect, col(QueuedEffect.key) == col(DeliveryAttempt.effect))
        .where(
            col(QueuedEffect.destination) == destination,
            col(DeliveryAttempt.outcome) != EffectStatus.SENT,
        )
        .order_by(col(DeliveryAttempt.began_at).desc())
        .limit(1)
    )
    return session.scalar(statement)


def held(session: Session, key: str) -> QueuedEffect:
    """One effect, held until the transaction ends; its case is held first, as everywhere.

    Raises:
        NotFound: there is no effect of this key.
    """
    case_id = effect_by_key(session, key).case_id
    if case_id is not None:
        session.get(Case, case_id, with_for_update=True)
    return effect_by_key(session, key, lock=True)


def settle(
    session: Session, row: QueuedEffect, status: EffectStatus, by: Provenance, now: datetime
) -> None:
    """Say what has become of an effect for good, or until somebody retries it.

    Raises:
        Conflict: it cannot become that.
    """
    check_move(EffectStatus(row.status), status)
    row.status, row.settled_at, row.settled_by = status, now, by.actor
    row.leased_until = None
    session.add(row)


def record(
    session: Session,
    row: QueuedEffect,
    action: Action,
    data: Mapping[str, Any],
    by: Provenance,
    now: datetime,
) -> None:
    """Write what became of an effect into the history of its case, or of the system."""
    named = {"effect": row.key, "kind": row.kind, "destination": row.destination}
    append(session, [Draft(row.case_id or SYSTEM, action, {**named, **data})], by, now)


def _row(effect: Effect, now: datetime) -> dict[str, Any]:
    return {
        "key": effect.key,
        "kind": effect.kind,
        "destination": effect.destination,
        "case_id": effect.case_id,
        "data": dict(effect.data),
        "status": EffectStatus.WAITING,
        "queued_at": now,
        "not_before": effect.not_before,
        "after": effect.after,
        "due_at": max(now, effect.not_before or now),
        "attempts": 0,
        "failures": 0,
    }


def _queued(effect: Effect) -> Draft:
    data: dict[str, Any] = {
        "effect": effect.key,
        "kind": str(effect.kind),
        "destination": effect.destination,
        "data_digest": digest(dict(effect.data)),
    }
    if effect.not_before is not None:
        data["not_before"] = timestamp(effect.not_before)
    return Draft(effect.case_id or SYSTEM, Action.EFFECT_QUEUED, data)
