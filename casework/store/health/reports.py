"""Reading what the report is made from: today, the recorded days, their alerts and revisions."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from casework.health.alerts import Alert
from casework.health.regions import Region
from casework.health.report import SHOWN_DAYS, Health
from casework.store.health.days import records, rows_in
from casework.store.health.taking import today
from casework.store.tables import HealthDay

#: Days of which alerts are told.
_ALERT_DAYS: Final = 7


def read_health(session: Session, region: Region, now: datetime) -> Health:
    """Everything a report says, as the store stands."""
    rows, risks = today(session, region, now)
    day = now.astimezone(UTC).date()
    kept = records(session, day - timedelta(days=SHOWN_DAYS))
    recent = [each for each in kept if _day(each) >= day - timedelta(days=_ALERT_DAYS)]
    return Health(
        at=now,
        today=rows,
        days={_day(each): rows_in(each) for each in kept},
        alerts=[(_day(each), alert) for each in recent for alert in alerts_in(each)],
        risks=risks,
        revisions=[(_day(e), e.revision, e.changed) for e in kept if e.revision > 1],
    )


def alerts_in(record: HealthDay) -> list[Alert]:
    """The alerts of a record."""
    return [
        Alert(**{**alert, "cases": tuple(alert["cases"])}) for alert in record.figures["alerts"]
    ]


def _day(record: HealthDay) -> date:
    return date.fromisoformat(record.day)
