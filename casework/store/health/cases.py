"""The cases that drive an alert: the longest, the missed, or those that were hit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, and_, cast, select
from sqlmodel import Session, col

from casework.cases import Route
from casework.clocks.model import ClockKind, ClockState
from casework.health.alerts import Alert
from casework.health.regions import Region
from casework.health.rows import ALL
from casework.ledger.acts import telling
from casework.ledger.entries import Action
from casework.store.health.machine import by_machine, entered_between
from casework.store.health.regions import region_column, with_region
from casework.store.health.work import ClockRow, clock_rows
from casework.store.restrictions import kept_from, known_to
from casework.store.tables import Case, Decision, LedgerEntry, Person, SignalReading

#: As many are named.
NAMED: Final = 10

_ENTRIES: Final = {
    "volume": Action.CASE_OPENED,
    "reopened": Action.CASE_REOPENED,
    "reversed": Action.REVERSAL_ASKED,
}
_CLOCKS: Final = {
    "first_touch": ClockKind.FIRST_TOUCH,
    "sla_first_touch": ClockKind.FIRST_TOUCH,
    "sla_partner_answer": ClockKind.PARTNER_ANSWER,
}


def driving_cases(
    session: Session, alert: Alert, start: datetime, end: datetime, region: Region
) -> list[str]:
    """The ids of the cases that drive an alert of a day, those that matter most first."""
    if alert.measure in _ENTRIES:
        statement = _entries(session, _ENTRIES[alert.measure], start, end)
    elif alert.measure == "provider_failures":
        statement = _readings(alert, start, end)
    elif alert.measure in ("automation", "rule_hits", "indeterminate"):
        statement = _decisions(alert, start, end)
    else:
        return _by_clock(session, alert, start, end, region)
    place = region_column(region)
    grouped = {
        "queue": col(Case.queue),
        "severity": col(Case.severity),
        "region": place,
    }
    if alert.by in grouped:
        statement = statement.where(grouped[alert.by] == alert.group)
    # The report is for all who lead, and is in Prefect: what is restricted is not named.
    statement = statement.where(known_to(col(Case.id), None))
    found = session.scalars(with_region(statement, region).limit(NAMED * 3))
    return list(dict.fromkeys(found))[:NAMED]


def _entries(session: Session, action: Action, start: datetime, end: datetime) -> Select[Any]:
    return (
        select(col(Case.id))
        .join(LedgerEntry, col(LedgerEntry.chain) == col(Case.id))
        .where(
            *entered_between(session, start, end),
            col(LedgerEntry.action).in_(telling(action)),
        )
        .order_by(col(LedgerEntry.id))
    )


def _decisions(alert: Alert, start: datetime, end: datetime) -> Select[Any]:
    unknown = cast(col(Decision.unknown), Text)
    wanted: list[ColumnElement[bool]] = [by_machine(start, end)]
    if alert.by == "rule":
        ruled = None if alert.group == "none" else alert.group
        wanted.append(col(Decision.rule_id).is_not_distinct_from(ruled))
    if alert.by == "signal":
        wanted.append(unknown.contains(f'"{alert.group}"', autoescape=True))
    if alert.measure == "indeterminate":
        wanted.append(unknown != "[]")
    if alert.measure == "automation":
        more = alert.value > alert.expected
        closed = col(Decision.verdict) == Route.CLOSE
        wanted.append(closed if more else ~closed)
    return (
        select(col(Case.id))
        .join(Decision, col(Decision.case_id) == col(Case.id))
        .where(*wanted)
        .order_by(col(Decision.decided_at), col(Decision.id))
    )


def _readings(alert: Alert, start: datetime, end: datetime) -> Select[Any]:
    about = and_(
        col(SignalReading.case_id) == col(Decision.case_id),
        col(SignalReading.revision) == col(Decision.revision),
    )
    wanted = [by_machine(start, end), cast(col(SignalReading.unknown), Text) != "{}"]
    if alert.by == "provider":
        wanted.append(col(SignalReading.provider) == alert.group)
    return (
        select(col(Case.id))
        .join(Decision, col(Decision.case_id) == col(Case.id))
        .join(SignalReading, about)
        .where(*wanted)
        .order_by(col(Decision.decided_at), col(Decision.id))
    )


def _by_clock(
    session: Session, alert: Alert, start: datetime, end: datetime, region: Region
) -> list[str]:
    kind = _CLOCKS.get(alert.measure, ClockKind.DECISION)
    vendors = _people_of(session, alert.group) if alert.by == "vendor" else frozenset()
    rows = [
        row
        for row in clock_rows(session, start, end, region)
        if row.kind == kind and _is_in(row, alert, vendors) and _counts(row, alert, start, end)
    ]
    rows.sort(key=lambda row: (row.started - (row.ended or end), row.gate))
    kept = set(session.scalars(kept_from(None)))
    return _named(row.case for row in rows if row.case not in kept)


def _counts(row: ClockRow, alert: Alert, start: datetime, end: datetime) -> bool:
    """Whether a clock is one of those that a measure is of; of promises, one that was missed."""
    if alert.measure == "gates_opened":
        return row.started >= start
    if alert.measure.startswith("sla_") and row.state != ClockState.BREACHED:
        return False
    return row.ended is not None and row.ended < end


def _is_in(row: ClockRow, alert: Alert, vendors: frozenset[str]) -> bool:
    if alert.by == "vendor":
        return row.holder in vendors
    return alert.by == ALL or getattr(row, alert.by, None) == alert.group


def _people_of(session: Session, vendor: str) -> frozenset[str]:
    return frozenset(session.scalars(select(col(Person.id)).where(col(Person.vendor) == vendor)))


def _named(cases: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(cases))[:NAMED]
