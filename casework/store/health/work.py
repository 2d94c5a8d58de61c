"""What people did on a day, by the clocks of their gates: a gate's clock lives as long as it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, ClockState
from casework.gates import ActorKind
from casework.health.facts import IN_HOUSE, Counted, Facts, Reviewed, Timed, Traits
from casework.health.regions import Region
from casework.qa.reviews import ItemStatus, RoundKind
from casework.store.health.regions import region_column, with_region
from casework.store.lookup import among
from casework.store.tables import Assignment, Case, Clock, Decision, Gate, Person, QaItem, QaRound


class ClockRow(NamedTuple):
    """A clock as it stands, and the gate it belongs to."""

    gate: str
    case: str
    kind: str
    queue: str
    severity: str
    state: str
    started: datetime
    due: datetime | None
    ended: datetime | None
    holder: str | None
    region: str


def clock_rows(
    session: Session, start: datetime, end: datetime, region: Region
) -> Iterator[ClockRow]:
    """Every clock that ran at some time between two moments."""
    place = region_column(region)
    statement = (
        select(
            *map(col, (Clock.gate_id, Clock.case_id, Clock.kind, Gate.queue, Gate.severity)),
            *map(col, (Clock.state, Clock.started_at, Clock.due_at, Clock.ended_at)),
            col(Assignment.holder),
            place,
        )
        .join(Gate, col(Gate.id) == col(Clock.gate_id))
        .join(Case, col(Case.id) == col(Clock.case_id))
        .outerjoin(Assignment, col(Assignment.gate_id) == col(Clock.gate_id))
        .where(
            or_(col(Clock.ended_at).is_(None), col(Clock.ended_at) >= start),
            col(Clock.started_at) < end,
        )
    )
    for row in session.execute(with_region(statement, region)):
        yield ClockRow(*row)


def add_work(
    session: Session, facts: Facts, start: datetime, end: datetime, region: Region
) -> None:
    """Add what became of the gates between two moments, and which were open at the end."""
    rows = list(clock_rows(session, start, end, region))
    vendors = _vendors(session, start, end)
    for row in rows:
        vendor = vendors.get(("gate", row.gate)) or vendors.get(("person", row.holder or ""), "")
        traits = Traits(row.queue, row.severity, vendor, row.region)
        if row.kind == ClockKind.DECISION:
            facts.counted += _stood(row, traits, start, end)
            if row.ended is None or row.ended >= end:
                facts.timed.append(
                    Timed("backlog_age", traits, (end - row.started).total_seconds())
                )
        if row.state != ClockState.CANCELLED and row.ended is not None and row.ended < end:
            met = row.state == ClockState.MET
            facts.counted.append(Counted(f"sla_{row.kind}", traits, 1, met))
            facts.timed += _took(row, traits)


def _stood(row: ClockRow, traits: Traits, start: datetime, end: datetime) -> Iterator[Counted]:
    """What a gate counts for: it opened, it was decided, it was open at the end."""
    if row.started >= start:
        yield Counted("gates_opened", traits, 1)
    if row.ended is None or row.ended >= end:
        yield Counted("backlog", traits, 1)
        yield Counted("overdue", traits, 1, row.due is not None and row.due < end)
    elif row.state != ClockState.CANCELLED:
        yield Counted("gates_decided", traits, 1)


def _took(row: ClockRow, traits: Traits) -> Iterator[Timed]:
    measures = {ClockKind.FIRST_TOUCH: "first_touch", ClockKind.DECISION: "decision_time"}
    measure = measures.get(ClockKind(row.kind))
    if measure is not None and row.ended is not None:
        yield Timed(measure, traits, (row.ended - row.started).total_seconds())


def _vendors(session: Session, start: datetime, end: datetime) -> Mapping[tuple[str, str], str]:
    """Whom people work for, by person, and by gate of who decided there, the last one counting."""
    found: dict[tuple[str, str], str] = {}
    for person, vendor in session.execute(select(col(Person.id), col(Person.vendor))):
        found["person", person] = vendor or IN_HOUSE
    statement = (
        select(col(Decision.gate_id), col(Decision.actor))
        .where(
            col(Decision.decided_at) >= start,
            col(Decision.decided_at) < end,
            col(Decision.gate_id).is_not(None),
        )
        .order_by(col(Decision.decided_at))
    )
    for gate, actor in session.execute(statement):
        if vendor := found.get(("person", actor)):
            found["gate", str(gate)] = vendor
    return found


def add_reviews(
    session: Session, facts: Facts, start: datetime, end: datetime, region: Region
) -> None:
    """Add the decisions of QA's samples that were settled between two moments."""
    place = region_column(region)
    statement = (
        select(QaItem, place)
        .join(QaRound, col(QaRound.id) == col(QaItem.round_id))
        .join(Case, col(Case.id) == col(QaItem.case_id))
        .where(
            col(QaRound.kind) == RoundKind.SAMPLE,
            col(QaItem.golden).is_(False),
            col(QaItem.status) == ItemStatus.SETTLED,
            col(QaItem.settled_at) >= start,
            col(QaItem.settled_at) < end,
        )
    )
    rounds: set[str] = set()
    for item, where in session.execute(with_region(statement, region)):
        rounds.add(item.round_id)
        facts.reviewed.append(_reviewed(item, where))
    facts.sizes = _sizes(session, rounds)


def _reviewed(item: QaItem, where: str) -> Reviewed:
    vendor = item.vendor or (IN_HOUSE if item.actor_kind != ActorKind.MACHINE else "")
    return Reviewed(
        Traits(item.origin, item.severity or "", vendor, where),
        (item.round_id, *item.stratum),
        item.error is not None,
        item.escalate_to is not None,
        item.final_escalate_to is not None,
    )


def _sizes(session: Session, rounds: set[str]) -> dict[Any, int]:
    statement = select(QaRound).where(among(session, col(QaRound.id), rounds))
    return {
        (found.id, *(str(value) for value in row["stratum"].values())): int(row["population"])
        for found in session.scalars(statement)
        for row in found.strata
    }
