"""The gates that come first in queues, each read from its beginning in the order of its index."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Row, TextualSelect, bindparam, literal, text
from sqlmodel import Session, col

from casework.gates import GateStatus
from casework.store.restrictions import known_in_words
from casework.store.tables import Gate
from casework.store.types import UtcDateTime

#: A gate at which people must decide, in the words of the indexes of those: they are not used else.
IS_OPEN: Final = col(Gate.status) == literal(GateStatus.OPEN.value, literal_execute=True)

#: The most severe first, then what is due first, then the oldest: the order within a queue.
URGENCY: Final = tuple(map(col, (Gate.severity, Gate.ranks_at, Gate.opened_at, Gate.id)))

_PLACE: Final = ("severity", "ranks_at", "opened_at", "id")

#: Leaves out what another has or what is on hold. Said as what there is none of: few gates have an
#: assignment, and of a join PostgreSQL would think that it leaves few gates, and read them all.
_CLAIMABLE: Final = (
    "AND NOT EXISTS (SELECT 1 FROM assignments a WHERE a.gate_id = gates.id "
    "AND (a.follow_up_at IS NOT NULL OR (a.holder IS NOT NULL AND a.holder <> :person "
    "AND (a.lease_until IS NULL OR a.lease_until > :now)))) "
)

#: Leaves out gates to which one of the rules ``:spared`` has brought their cases.
_NOT_SPARED: Final = (
    "AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.id = gates.case_id "
    "AND gates.policy_digest || '/' || COALESCE(c.rule_id, '') IN :spared) "
)


def place_of(gate: Gate) -> dict[str, Any]:
    """Where a gate stands in the order of its queue."""
    return {name: getattr(gate, name) for name in _PLACE}


def heads_of(
    session: Session,
    queues: Sequence[str],
    person: str,
    limit: int,
    *,
    after: Mapping[str, Any] | None = None,
    claimable_at: datetime | None = None,
    spared: Sequence[str] = (),
) -> Sequence[Row[Any]]:
    """The places of the first gates in some queues, taken together, of which a person may know.

    From the one behind the place ``after`` on; with ``claimable_at``, of those that this person
    may claim then; without those to which one of the ``spared`` rules led, each ``policy/rule``.
    """
    given: dict[str, Any] = {f"q{number}": queue for number, queue in enumerate(queues)}
    given |= {"person": person} | dict(after or {})
    given |= {"now": claimable_at} if claimable_at else {}
    given |= {"spared": list(spared)} if spared else {}
    statement = _heads(len(queues), limit, bool(after), claimable_at is not None, bool(spared))
    return session.execute(statement, given).all()


@lru_cache(maxsize=256)
def _heads(
    queues: int, limit: int, following: bool, claimable: bool, sparing: bool
) -> TextualSelect:
    """The statement; it is written out, for to put it together takes longer than to answer it."""
    place = ", ".join(_PLACE)
    where = f"AND {known_in_words('gates.case_id', 'person')} "
    if following:
        where += f"AND ({place}) > (:severity, :ranks_at, :opened_at, :id) "
    where += _CLAIMABLE if claimable else ""
    where += _NOT_SPARED if sparing else ""
    each = [
        f"SELECT {place} FROM gates WHERE status = 'open' AND queue = :q{number} {where}"
        f"ORDER BY {place} LIMIT {limit}"
        for number in range(queues)
    ]
    wrapped = (f"SELECT * FROM ({head}) AS head{number}" for number, head in enumerate(each))
    several = f"{' UNION ALL '.join(wrapped)} ORDER BY {place} LIMIT {limit}"
    times = (["ranks_at", "opened_at"] if following else []) + (["now"] if claimable else [])
    asked = [bindparam(name, type_=UtcDateTime()) for name in times]
    asked += [bindparam("spared", expanding=True)] if sparing else []
    found = text(each[0] if queues == 1 else several).bindparams(*asked)
    return found.columns(ranks_at=UtcDateTime, opened_at=UtcDateTime)
