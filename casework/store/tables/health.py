"""Operational health: a record of each day that is over, and how today stands."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class HealthDay(SQLModel, table=True):
    """A day's figures and alerts. Written once; late facts make a further revision."""

    __tablename__ = "health_days"

    day: str = Field(primary_key=True)  # in UTC, as 2026-03-02
    revision: int = Field(primary_key=True)
    digest: str
    changed: list[str] = document()  # measures that differ from the revision before
    figures: dict[str, Any] = document()  # rows and alerts
    recorded_at: datetime = moment()


class HealthSnapshot(SQLModel, table=True):
    """How today stands, as the last run saw it; the next one writes over it."""

    __tablename__ = "health_snapshots"

    name: str = Field(primary_key=True)  # "today"
    day: str
    figures: dict[str, Any] = document()  # rows, alerts of the last day, forecast
    charts: dict[str, str] = document()  # SVG by name
    made_at: datetime = moment()
