"""Telling those whom a ladder has told about a gate that somebody has taken it, or that it is over.

Each is told once for each gate, in the transaction of what ends the waiting. Where a ladder has
sent nothing about a gate, nothing is told.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, select
from sqlmodel import Session, col

from casework.effects import Effect, EffectKind, EffectStatus
from casework.gates import ActorKind
from casework.ledger.entries import Provenance
from casework.store.lookup import among
from casework.store.outbox import enqueue
from casework.store.policy import stored_bundle
from casework.store.tables import Gate, QueuedEffect

#: What is sent before somebody takes a gate, or before it is over.
_BEFORE: Final = (EffectKind.NOTIFY, EffectKind.PAGE, EffectKind.ACKNOWLEDGE)

#: Effects by the gate that they are about and by their destination.
_Told: TypeAlias = Mapping[str, Mapping[str, Sequence[Row[Any]]]]


def acknowledge(session: Session, gate: Gate, by: Provenance, now: datetime) -> int:
    """Tell those who were paged or reminded of a gate that somebody has taken it up.

    Returns:
        How many destinations will be told that have not been before.
    """
    return enqueue(session, endings(session, EffectKind.ACKNOWLEDGE, [gate], by), by, now)


def resolve(session: Session, gates: Sequence[Gate], by: Provenance, now: datetime) -> int:
    """Tell those who were paged or reminded of gates that they are decided or superseded.

    The cases of the gates are held.

    Returns:
        How many effects will tell it that were not queued before.
    """
    return enqueue(session, endings(session, EffectKind.RESOLVE, gates, by), by, now)


def earlier_references(session: Session, effect: Effect) -> tuple[str, ...]:
    """What its destination called the notices and pages that an effect says are over.

    They are those about the same gate, or else about the same case, the oldest first.
    """
    if effect.kind not in (EffectKind.ACKNOWLEDGE, EffectKind.RESOLVE):
        return ()
    statement = (
        select(col(QueuedEffect.reference), col(QueuedEffect.data))
        .where(
            col(QueuedEffect.case_id) == effect.case_id,
            col(QueuedEffect.destination) == effect.destination,
            col(QueuedEffect.kind).in_((EffectKind.NOTIFY, EffectKind.PAGE)),
            col(QueuedEffect.reference).is_not(None),
        )
        .order_by(col(QueuedEffect.queued_at), col(QueuedEffect.key))
    )
    gate = effect.data.get("gate")
    rows = session.execute(statement)
    return tuple(name for name, data in rows if gate in (None, data.get("gate")))


def endings(
    session: Session, kind: EffectKind, gates: Sequence[Gate], by: Provenance
) -> list[Effect]:
    """What tells those who were told about gates that the waiting is over, or taken up."""
    told = _told(session, gates) if gates else {}
    return [
        _effect(kind, gate, destination, before, by)
        for gate in gates
        for destination, before in told.get(gate.id, {}).items()
        if _takes(session, gate, destination, kind)
    ]


def _told(session: Session, gates: Sequence[Gate]) -> _Told:
    names = ("key", "kind", "destination", "data", "status", "due_at")
    columns = [col(getattr(QueuedEffect, name)) for name in names]
    cases = {gate.case_id for gate in gates}
    statement = select(*columns).where(
        among(session, col(QueuedEffect.case_id), cases), col(QueuedEffect.kind).in_(_BEFORE)
    )
    found: defaultdict[str, defaultdict[str, list[Row[Any]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in session.execute(statement):
        found[str(row.data.get("gate"))][row.destination].append(row)
    return found


def _takes(session: Session, gate: Gate, destination: str, kind: EffectKind) -> bool:
    spec = stored_bundle(session, gate.policy_digest).destinations.get(destination)
    return spec is not None and kind in spec.takes


def _effect(
    kind: EffectKind, gate: Gate, destination: str, before: Sequence[Row[Any]], by: Provenance
) -> Effect:
    """What ends the waiting at one destination, to be sent after all that was sent before it."""
    last = max(before, key=lambda row: (row.status == EffectStatus.WAITING, row.due_at, row.key))
    return Effect(
        key=f"{kind}:{gate.id}:{destination}",
        kind=kind,
        destination=destination,
        case_id=gate.case_id,
        data=_about(gate, by),
        after=last.key,
    )


def _about(gate: Gate, by: Provenance) -> Mapping[str, Any]:
    names = ("queue", "severity", "verdict", "action")
    about = {"gate": gate.id, **{name: getattr(gate, name) for name in names}}
    return about if by.actor_kind == ActorKind.MACHINE else {**about, "by": by.actor}
