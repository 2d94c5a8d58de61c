"""Acting in an incident: the one way in, whichever path it came by.

What may be done is guarded where it is done, in the store. ``act`` adds what must outlive a
refusal: its entry in the history, committed although nothing else is.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from casework.errors import Conflict, Denied
from casework.gates import ActorKind
from casework.ledger.entries import Provenance
from casework.store.engine import transaction
from casework.store.incidents.lifecycle import note_denial
from casework.version import code_version

T = TypeVar("T")

#: Something done in one transaction, by somebody, at a time.
Act: TypeAlias = Callable[[Session, Provenance, datetime], T]


def act(
    engine: Engine,
    incident: str | None,
    actor: str,
    do: Act[T],
    *,
    now: datetime,
    kind: ActorKind = ActorKind.PERSON,
) -> T:
    """Do something in an incident; a refusal is kept in its history and raised again.

    Args:
        engine: the store.
        incident: the incident's id; None while it is being opened.
        actor: id of the person who acts.
        do: what to do: a function of the store with all its arguments but the last ones.
        now: the time of the act.
        kind: whether the person's identity was checked.

    Raises:
        NotFound: there is no such incident, or what is named is not in it.
        Denied: this person may not.
        Conflict: the incident is not where this can be done.
        InputError: what was given cannot be used.
    """
    by = Provenance(actor=actor, actor_kind=str(kind), code_version=code_version())
    try:
        with transaction(engine) as session:
            return do(session, by, now)
    except (Denied, Conflict) as refusal:
        with transaction(engine) as session:
            note_denial(session, incident, refusal.reason or refusal.code, by, now)
        raise
