"""What to do next: the most urgent gate for one person."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, literal, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from casework.errors import Conflict, Denied
from casework.gates import GateStatus, Person, barred
from casework.ledger.entries import Provenance
from casework.store.assignment import claim
from casework.store.gates import situation
from casework.store.policy import stored_bundle
from casework.store.queue_heads import IS_OPEN, heads_of
from casework.store.tables import Case, Gate

#: Gates of each queue that are looked at in one go.
_PAGE: Final = 50


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


def claim_next(
    session: Session,
    person: Person,
    lease: timedelta,
    by: Provenance,
    now: datetime,
    *,
    sparing: bool = False,
) -> Gate | None:
    """Take the gate that somebody should look at next; None where nothing waits for them.

    Where many ask at once each takes another: a case that somebody has in hand is passed over, not
    waited for. Sparing them leaves out what is of a marked category.
    """
    for gate in next_gates(session, person, now, sparing=sparing):
        if not _in_hand(session, gate.case_id):
            continue
        with suppress(Conflict, Denied):  # it has been taken or decided since it was looked up
            claim(session, gate.id, lease, by, now)
            return gate
    return None


def _in_hand(session: Session, case: str) -> bool:
    """Hold a case until the transaction ends, unless another one does."""
    free = select(col(Case.id)).where(col(Case.id) == case).with_for_update(skip_locked=True)
    return session.scalar(free) is not None


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
    after: dict[str, Any] | None = None
    while True:
        rows = heads_of(
            session, queues, person, _PAGE, after=after, claimable_at=now, spared=spared
        )
        yield from (row.id for row in rows)
        if len(rows) < _PAGE:
            return
        after = dict(rows[-1]._mapping)
