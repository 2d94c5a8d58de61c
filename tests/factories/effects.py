"""Effects on their way, and a store that holds some."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from casework.effects import Effect, EffectKind
from casework.store.engine import transaction
from casework.store.outbox import enqueue
from casework.store.sending import Claimed, claim
from tests.factories.gates import BY, NOW


def effect(key: str = "act:g1:log", **more: Any) -> Effect:
    """An effect for the destination ``log``, unless told otherwise."""
    given: dict[str, Any] = {"kind": EffectKind.ACT, "destination": "log", "case_id": "c1", **more}
    return Effect(key=key, **given)


def queue(engine: Engine, *effects: Effect, now: datetime = NOW) -> int:
    """Put effects into the outbox; how many were new."""
    with transaction(engine) as session:
        return enqueue(session, effects, BY, now)


def take(
    engine: Engine, limit: int = 10, *, destination: str = "log", now: datetime = NOW
) -> list[Claimed]:
    """Claim what is due for a destination, as a sender does."""
    with transaction(engine) as session:
        return claim(session, destination, limit, "sender", now)
