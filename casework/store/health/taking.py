"""Taking stock: record the days that are over, with their alerts, and see how today stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session

from casework.health.alerts import Alert, find_alerts
from casework.health.days import bounds
from casework.health.forecast import Risk, forecast
from casework.health.proposals import propose
from casework.health.regions import Region
from casework.health.rows import Row
from casework.health.series import LONGEST_DAYS
from casework.ledger.entries import Provenance
from casework.policy.model import Bundle
from casework.store.engine import reading, transaction
from casework.store.health.cases import driving_cases
from casework.store.health.days import (
    days_due,
    late_facts,
    record_day,
    records,
    revise_day,
    rows_between,
    rows_in,
)
from casework.store.health.demand import load_of, rates, waiting_gates
from casework.store.tables import HealthSnapshot

#: Days recorded in one run: a long past is caught up on over several.
MOST_DAYS: Final = 60

#: The one snapshot there is.
_TODAY: Final = "today"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run has recorded: the days, those revised, and how many alerts there were."""

    recorded: Sequence[str]
    revised: Sequence[str]
    alerts: int


def take_stock(
    engine: Engine, bundle: Bundle, region: Region, by: Provenance, now: datetime
) -> Taken:
    """Record each day that is over and not recorded yet; hold recent records against the store.

    Running again records nothing, unless there was more than one run may record. Each day is a
    transaction of its own.
    """
    recorded, alerts = [], 0
    with reading(engine) as session:
        due = days_due(session, now)[:MOST_DAYS]
    for day in due:
        # Read before the transaction: what takes long must keep no writer waiting.
        with reading(engine) as session:
            figures = figures_of(session, bundle, region, day)
        with transaction(engine) as session:
            if record_day(session, day, figures, by, now):
                recorded.append(day.isoformat())
                alerts += len(figures["alerts"])
    revised = _revised(engine, region, by, now) if recorded else []
    return Taken(recorded, revised, alerts)


def _revised(engine: Engine, region: Region, by: Provenance, now: datetime) -> list[str]:
    with reading(engine) as session:
        late = late_facts(session, region, now)
    with transaction(engine) as session:
        for each in late:
            revise_day(session, each, by, now)
    return [each.day.isoformat() for each in late]


def figures_of(session: Session, bundle: Bundle, region: Region, day: date) -> dict[str, Any]:
    """A day's rows, and its alerts against the days recorded before it, as plain JSON."""
    start, end = bounds(day)
    rows = rows_between(session, start, end, region)
    found = find_alerts(history(session, day), day, rows)
    advised = [_advised(session, bundle, region, each, start, end) for each in found]
    return {
        "rows": [row.as_dict() for row in rows],
        "alerts": [alert.as_dict() for alert in advised],
    }


def history(session: Session, day: date) -> Mapping[date, Sequence[Row]]:
    """The rows of the recorded days before one, as far back as a day is compared."""
    since = day - timedelta(days=LONGEST_DAYS)
    found = records(session, since)
    return {date.fromisoformat(each.day): rows_in(each) for each in found}


def _advised(
    session: Session, bundle: Bundle, region: Region, alert: Alert, start: datetime, end: datetime
) -> Alert:
    load = load_of(session, bundle, alert.group, start, end) if alert.by == "queue" else None
    cases = driving_cases(session, alert, start, end, region)
    return alert.with_advice(cases, propose(alert, load))


def today(session: Session, region: Region, now: datetime) -> tuple[list[Row], list[Risk]]:
    """How today stands: its rows so far, and which open clocks may be missed."""
    rows = rows_between(session, bounds(now.astimezone(UTC).date())[0], now, region)
    return rows, forecast(waiting_gates(session), rates(session, now), now)


def keep_snapshot(
    session: Session, figures: Mapping[str, Any], charts: Mapping[str, str], now: datetime
) -> None:
    """Keep how today stands in place of how it stood, for those who may not wait for it.

    It can be made again from the store at any time, so this writes no ledger entry.
    """
    session.merge(
        HealthSnapshot(
            name=_TODAY,
            day=now.date().isoformat(),
            figures=dict(figures),
            charts=dict(charts),
            made_at=now,
        )
    )


def snapshot(session: Session) -> HealthSnapshot | None:
    """How today stood when it was last looked at; None before the first time."""
    return session.get(HealthSnapshot, _TODAY)
