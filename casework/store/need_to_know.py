"""Restricting cases as the policy says: those with a signal, and those that come into a queue."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.ledger.entries import Provenance
from casework.policy.model import Bundle
from casework.store.lookup import among
from casework.store.outcomes import Decided
from casework.store.restrictions import restrict_more
from casework.store.tables import Case, SignalReading


def restrict_decided(
    session: Session, bundle: Bundle, made: Sequence[Decided], by: Provenance, now: datetime
) -> None:
    """Restrict those of some decided cases for which the policy says so."""
    if not bundle.need_to_know:
        return
    found: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
    signalled = _signalled(session, bundle, made)
    for rule in bundle.need_to_know:
        for each in made:
            there = rule.queue is not None and each.ruling.outcome["queue"] == rule.queue
            if there or (rule.signal, each.case_id) in signalled:
                found[each.case_id].setdefault(rule.because, set()).update(rule.people)
    for case_id, causes in sorted(found.items()):
        case = session.get_one(Case, case_id)
        for because, people in causes.items():
            restrict_more(session, case, people, because, by, now)


def restrict_in_queue(
    session: Session, bundle: Bundle, case: Case, queue: str, by: Provenance, now: datetime
) -> None:
    """Restrict a case that comes into a queue whose cases not everybody may know of."""
    for rule in bundle.need_to_know:
        if rule.queue == queue:
            restrict_more(session, case, rule.people, rule.because, by, now)


def _signalled(
    session: Session, bundle: Bundle, made: Sequence[Decided]
) -> set[tuple[str | None, str]]:
    """Which signals that restrict are true of which cases, as they were decided."""
    wanted = {rule.signal for rule in bundle.need_to_know if rule.signal}
    if not wanted:
        return set()
    revisions = {each.case_id: each.revision for each in made}
    rows = session.scalars(
        select(SignalReading).where(among(session, col(SignalReading.case_id), list(revisions)))
    )
    return {
        (signal, row.case_id)
        for row in rows
        if row.revision == revisions[row.case_id]
        for signal in wanted
        if row.known.get(signal) is True
    }
