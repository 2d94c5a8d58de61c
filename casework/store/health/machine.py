"""What the machine did on a day: cases that came and went, decisions, rules, providers."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Text, and_, cast, func, select
from sqlmodel import Session, col

from casework.cases import Route
from casework.gates import ActorKind
from casework.health.facts import Counted, Traits
from casework.health.regions import Region
from casework.ledger.acts import acts_told, telling
from casework.ledger.entries import Action
from casework.signals import FAILURES
from casework.store.health.regions import region_column, with_region
from casework.store.tables import Case, Decision, LedgerEntry, SignalReading

#: The history is in the order of its ids; those of one moment lie no further apart than this.
_SLACK: Final = timedelta(hours=1)

_TOLD: Final = (
    Action.CASE_OPENED,
    Action.CASE_CLOSED,
    Action.CASE_REOPENED,
    Action.REVERSAL_ASKED,
)


def machine_facts(
    session: Session, start: datetime, end: datetime, region: Region
) -> Iterator[Counted]:
    """Everything about cases and the machine's decisions between two moments."""
    yield from _history(session, start, end, region)
    yield from _decisions(session, start, end, region)
    yield from _readings(session, start, end, region)


def _first_entry_at(session: Session, moment: datetime) -> int:
    """The id of the first entry at or after a moment, by halves; past the last one if none is."""
    low, high = 0, (session.scalar(select(func.max(col(LedgerEntry.id)))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        statement = select(col(LedgerEntry.at)).where(col(LedgerEntry.id) >= middle)
        at = session.scalar(statement.order_by(col(LedgerEntry.id)).limit(1))
        if at is None or at >= moment:
            high = middle
        else:
            low = middle + 1
    return low


def entered_between(
    session: Session, start: datetime, end: datetime
) -> tuple[ColumnElement[bool], ...]:
    """What holds of the entries written between two moments; it is found by their ids."""
    return (
        col(LedgerEntry.id) >= _first_entry_at(session, start - _SLACK),
        col(LedgerEntry.id) <= _first_entry_at(session, end + _SLACK),
        col(LedgerEntry.at) >= start,
        col(LedgerEntry.at) < end,
    )


def first_moment(session: Session) -> datetime | None:
    """When the history begins; None while it is empty."""
    return session.scalar(select(col(LedgerEntry.at)).order_by(col(LedgerEntry.id)).limit(1))


def _history(session: Session, start: datetime, end: datetime, region: Region) -> Iterator[Counted]:
    place, entry = region_column(region), LedgerEntry
    statement = (
        select(col(entry.action), col(Case.queue), col(Case.severity), place, func.count())
        .join(Case, col(Case.id) == col(entry.chain))
        .where(
            *entered_between(session, start, end),
            col(entry.action).in_({name for action in _TOLD for name in telling(action)}),
        )
        .group_by(col(entry.action), col(Case.queue), col(Case.severity), place)
    )
    for action, queue, severity, where, n in session.execute(with_region(statement, region)):
        traits = Traits(queue or "", severity or "", "", where)
        for act in acts_told(action):
            yield from _counted(act, traits, n)


def _counted(act: str, traits: Traits, n: int) -> Iterator[Counted]:
    match act:
        case Action.CASE_OPENED:
            yield Counted("volume", traits, n)
        case Action.CASE_CLOSED:
            yield Counted("reopened", traits, n)
            yield Counted("reversed", traits, n)
        case Action.CASE_REOPENED:
            yield Counted("reopened", traits, 0, n)
        case Action.REVERSAL_ASKED:
            yield Counted("reversed", traits, 0, n)


def by_machine(start: datetime, end: datetime) -> Any:
    """Whether a decision is the machine's, between two moments."""
    return and_(
        col(Decision.decided_at) >= start,
        col(Decision.decided_at) < end,
        col(Decision.actor_kind) == ActorKind.MACHINE,
    )


def _decisions(
    session: Session, start: datetime, end: datetime, region: Region
) -> Iterator[Counted]:
    place, unknown = region_column(region), cast(col(Decision.unknown), Text)
    told = (Decision.verdict, Decision.rule_id, Decision.severity, Decision.queue)
    columns = (*map(col, told), unknown, place)
    statement = (
        select(*columns, func.count())
        .join(Case, col(Case.id) == col(Decision.case_id))
        .where(by_machine(start, end))
        .group_by(*columns)
    )
    rules, signals, total = Counter[str](), Counter[str](), 0
    for verdict, ruled, severity, queue, missing, where, n in session.execute(
        with_region(statement, region)
    ):
        traits, rule = Traits(queue or "", severity or "", "", where), ruled or "none"
        unknown_signals = orjson.loads(missing)
        yield Counted("automation", traits, n, n * (verdict == Route.CLOSE))
        unclear = n * bool(unknown_signals)
        yield Counted("indeterminate", traits, n, unclear, ("rule", rule))
        rules[rule] += n
        signals.update(dict.fromkeys(unknown_signals, n))
        total += n
    for measure, by, tally in (("rule_hits", "rule", rules), ("indeterminate", "signal", signals)):
        for name, hits in tally.items():
            yield Counted(measure, Traits(), total, hits, (by, name), only=True)


def _readings(
    session: Session, start: datetime, end: datetime, region: Region
) -> Iterator[Counted]:
    place, unknown = region_column(region), cast(col(SignalReading.unknown), Text)
    columns = (col(SignalReading.provider), unknown, place)
    about = and_(
        col(SignalReading.case_id) == col(Decision.case_id),
        col(SignalReading.revision) == col(Decision.revision),
    )
    statement = (
        select(*columns, func.count())
        .select_from(Decision)
        .join(Case, col(Case.id) == col(Decision.case_id))
        .join(SignalReading, about)
        .where(by_machine(start, end))
        .group_by(*columns)
    )
    for provider, missing, where, n in session.execute(with_region(statement, region)):
        failed = n * bool(FAILURES & set(orjson.loads(missing).values()))
        traits = Traits(region=where)
        yield Counted("provider_failures", traits, n, failed, ("provider", provider))
