"""The machine's decisions about cases."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from casework.cases import Route, Status, check_transition
from casework.ledger.entries import Provenance
from casework.policy.model import Bundle
from casework.store.bulk import insert_rows, stored_time
from casework.store.clocks import open_clocks
from casework.store.consequences import cause_closings
from casework.store.facts import Facts
from casework.store.holds import closings, holds_in_force, note_held
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.need_to_know import restrict_decided
from casework.store.outcomes import (
    DECISION,
    GATE,
    STANDING,
    Decided,
    Ruling,
    decided,
    decided_drafts,
    decision_rows,
    gate_rows,
    opened_gates,
    ruling_of,
)
from casework.store.tables import Case

_COUNTS: Final[Mapping[str, str]] = {
    Route.CLOSE: "closed",
    Route.REVIEW: "review",
    Route.ESCALATE: "escalated",
}


def record_outcomes(
    session: Session,
    bundle: Bundle,
    facts: Sequence[Facts],
    outcomes: Sequence[Mapping[str, Any]],
    by: Provenance,
    now: datetime,
) -> Counter[tuple[str, str | None, str | None]]:
    """Record what the policy decided about cases that still wait for it, each revision once.

    ``outcomes`` are those of ``casework.policy.evaluate.decide``, in the order of ``facts``. What a
    hold is over goes to a person where the policy would close it. The cases are locked until the
    transaction ends; one that was decided or revised in the meantime is passed over.

    Returns:
        How many cases went each way: by route, rule and queue.
    """
    holds = holds_in_force(session, bundle)
    names = [each.case_id for each in facts]
    waiting = _lock(session, names)
    looked_at = closings(session, names) if holds else {}
    rulings: dict[tuple[int, ...], Ruling] = {}
    made, at = [], stored_time(session, now)
    for each, outcome in zip(facts, outcomes, strict=True):
        if waiting.get(each.case_id) != each.revision:
            continue
        if holds:
            outcome = holds.outcome(outcome, looked_at[each.case_id])
        alike = (id(outcome), *map(id, each.readings))
        if alike not in rulings:
            rulings[alike] = ruling_of(outcome, each.readings, bundle.digest, by, at)
        made.append(decided(rulings[alike], each.case_id, each.revision, each.content_digest))
    if made:
        insert_rows(session, "decisions", DECISION, decision_rows(made))
        insert_rows(session, "gates", GATE, gate_rows(made))
        open_clocks(session, bundle, opened_gates(made), now)
        if holds:
            note_held(session, made, now)
        _move(session, made, now)
        append(session, [draft for each in made for draft in decided_drafts(each)], by, now)
        cause_closings(session, bundle, made, by, now)
        restrict_decided(session, bundle, made, by, now)
    ways = (each.ruling.outcome for each in made)
    return Counter((way["route"], way["rule_id"], way["queue"]) for way in ways)


def counts_by_route(ways: Mapping[tuple[str, str | None, str | None], int]) -> dict[str, int]:
    """The counts of ``record_outcomes`` as ``closed``, ``review`` and ``escalated``."""
    counts = dict.fromkeys(_COUNTS.values(), 0)
    for (route, _, _), number in ways.items():
        counts[_COUNTS[route]] += number
    return counts


def ways_of_intake(session: Session, intake_id: str) -> Counter[tuple[str, str | None, str | None]]:
    """How many cases of an intake have gone each way so far: by route, rule and queue."""
    way = (col(Case.route), col(Case.rule_id), col(Case.queue))
    statement = select(*way, func.count()).where(
        col(Case.intake_id) == intake_id, col(Case.route).is_not(None)
    )
    rows = session.execute(statement.group_by(*way))
    return Counter({(str(route), rule, queue): number for route, rule, queue, number in rows})


def _lock(session: Session, case_ids: Sequence[str]) -> dict[str, int]:
    """Hold the cases that still wait for the policy; their revisions by id."""
    statement = (
        select(col(Case.id), col(Case.revision))
        .where(among(session, col(Case.id), case_ids), col(Case.status) == Status.ENRICHED)
        .order_by(col(Case.id))
        .with_for_update()
    )
    return {row.id: row.revision for row in session.execute(statement)}


def _move(session: Session, made: Sequence[Decided], now: datetime) -> None:
    """Put the decision in force on its cases, with one statement for each different outcome."""
    alike: defaultdict[tuple[str | None, ...], list[str]] = defaultdict(list)
    for each in made:
        alike[each.ruling.standing].append(each.case_id)
    for standing, cases in alike.items():
        values = dict(zip(STANDING, standing, strict=True))
        status = Status(str(values["status"]))
        check_transition(Status.ENRICHED, status)
        session.execute(
            update(Case)
            .where(among(session, col(Case.id), cases))
            .values(**values, updated_at=now, closed_at=now if status is Status.CLOSED else None)
            .execution_options(synchronize_session=False)
        )
