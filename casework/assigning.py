"""Acting on who has a gate: the one way in, whichever path it came by.

What may be done is guarded where it is done, in the store. This adds what must outlive a refusal:
its entry in the history, committed although nothing else is.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from casework.errors import Conflict, Denied
from casework.ledger.entries import Provenance
from casework.store.engine import transaction
from casework.store.gates import deny, gate_by_id

T = TypeVar("T")


def at_gate(
    engine: Engine, gate: str, do: Callable[[Session], T], by: Provenance, now: datetime
) -> T:
    """Claim, release, assign, hold or hand over a gate; a refusal is kept and raised again.

    Args:
        engine: the store.
        gate: the gate's id.
        do: what to do, in one transaction.
        by: who asks for it.
        now: the time.

    Raises:
        NotFound: there is no such gate.
        Denied: this person may not.
        Conflict: somebody else has it, or it has been decided.
    """
    try:
        with transaction(engine) as session:
            return do(session)
    except (Denied, Conflict) as refusal:
        with transaction(engine) as session:
            deny(session, gate_by_id(session, gate), refusal.reason or refusal.code, by, now)
        raise
