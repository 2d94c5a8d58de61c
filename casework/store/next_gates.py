"""What to do next: the most urgent gate for one person."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import TextualSelect, bindparam, func, literal, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from casework.gates import GateStatus, Person, barred
from casework.store.gates import situation
from casework.store.policy import stored_bundle
from casework.store.restrictions import known_in_words
from casework.store.tables import Case, Gate
from casework.store.types import UtcDateTime
from casework.store.worklist import IS_OPEN

#: Gates of each queue that are looked at in one go.
_PAGE: Final = 50

#: Leaves out gates to which one of the rules ``:spared`` has brought their cases.
_NOT_SPARED: Final = (
    "AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.id = gates.case_id "
    "AND gates.policy_digest || '/' || COALESCE(c.rule_id, '') IN :spared) "
)


def next_gate(
    session: Session, person: Person, now: datetime, *, sparing: bool = False
) -> Gate | None:
    """The gate that this person should look at next; None where nothing waits for them."""
    return next(next_gates(session, person, now, sparing=sparing), None)


def next_gates(
    session: Session, person: Person, now: datetime, *, sparing: bool = False
) -> Iterator[Gate]:
    """The gates that this person should look at, one after another.

    The most severe comes first, then what is due first, then the oldest. What another has, or what
    is on hold, is passed over; sparing them, what is of a marked category too.
    """
    queues = _queues_of(session, person)
    spared = _marked(session) if sparing else []
    for name in _free(session, queues, person.id, now, spared) if queues else ():
        gate = session.get_one(Gate, name)
        bundle = stored_bundle(session, gate.policy_digest)
        if not person.roles & bundle.queues[gate.queue].roles:
            continue
        found = situation(session, session.get_one(Case, gate.case_id), gate, now)
        if barred(found, person, bundle.terms(gate.queue, None)) is None:
            yield gate


def _queues_of(session: Session, person: Person) -> list[str]:
    """Queues where somebody of these roles answers, under one of the policies that gates have."""
    named: dict[str, None] = {}
    for policy in _policies(session):
        for queue in stored_bundle(session, policy).queues.values():
            if "*" in person.queues or queue.id in person.queues:
                named |= {queue.id: None} if person.roles & queue.roles else {}
    return list(named)


def _policies(session: Session) -> list[str]:
    """The policies under which gates wait, from one to the next by index: gates may be many."""
    first = select(func.min(col(Gate.policy_digest)).label("digest")).where(IS_OPEN)
    walk, later = first.cte("policies", recursive=True), aliased(Gate)
    following = (
        select(func.min(col(later.policy_digest)))
        .where(
            col(later.status) == literal(GateStatus.OPEN.value, literal_execute=True),
            col(later.policy_digest) > walk.c.digest,
        )
        .scalar_subquery()
    )
    walk = walk.union_all(select(following).select_from(walk).where(walk.c.digest.is_not(None)))
    return list(session.scalars(select(walk.c.digest).where(walk.c.digest.is_not(None))))


def _marked(session: Session) -> list[str]:
    """The rules that bring a case of a marked category to its gate, each behind its policy."""
    return [
        f"{policy}/{rule.id}"
        for policy in _policies(session)
        for bundle in [stored_bundle(session, policy)]
        for rule in bundle.rules
        if bundle.marked(rule.id)
    ]


def _free(
    session: Session, queues: Sequence[str], person: str, now: datetime, spared: Sequence[str]
) -> Iterator[str]:
    """Open gates that are free or this person's own, and not on hold, by urgency."""
    given: dict[str, Any] = {f"q{number}": queue for number, queue in enumerate(queues)}
    given |= {"person": person, "now": now} | ({"spared": spared} if spared else {})
    following, place = False, dict[str, Any]()
    while True:
        statement = _heads(len(queues), following, bool(spared))
        rows = session.execute(statement, {**given, **place}).all()
        yield from (row.id for row in rows)
        if len(rows) < _PAGE:
            return
        following, place = True, dict(rows[-1]._mapping)


@lru_cache(maxsize=64)
def _heads(queues: int, following: bool, sparing: bool) -> TextualSelect:
    """The statement for the heads of so many queues, from a place on where it is ``following``.

    It is written out: to put it together anew would take longer than to answer it.
    """
    place = "severity, ranks_at, opened_at, id"
    after = f"AND ({place}) > (:severity, :ranks_at, :opened_at, :id) " if following else ""
    spared = _NOT_SPARED if sparing else ""
    heads = (
        f"SELECT * FROM (SELECT {place} FROM gates LEFT JOIN assignments a ON a.gate_id = id "
        f"WHERE status = 'open' AND queue = :q{number} AND follow_up_at IS NULL "
        f"AND (holder IS NULL OR holder = :person OR lease_until <= :now) "
        f"AND {known_in_words('gates.case_id', 'person')} {spared}{after}"
        f"ORDER BY {place} LIMIT {_PAGE}) AS head{number}"
        for number in range(queues)
    )
    whole = f"{' UNION ALL '.join(heads)} ORDER BY {place} LIMIT {_PAGE}"
    times = ["now", *(["ranks_at", "opened_at"] if following else [])]
    asked = [bindparam(name, type_=UtcDateTime()) for name in times]
    asked += [bindparam("spared", expanding=True)] if sparing else []
    columns = {"ranks_at": UtcDateTime, "opened_at": UtcDateTime}
    return text(whole).bindparams(*asked).columns(**columns)
