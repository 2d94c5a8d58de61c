"""What providers said, and their answers kept by content."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class SignalReading(SQLModel, table=True):
    """What one provider said about one revision. Written once."""

    __tablename__ = "signal_readings"

    case_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    provider: str = Field(primary_key=True)
    version: str
    known: dict[str, Any] = document()  # signal -> value
    unknown: dict[str, Any] = document()  # signal -> reason
    latency_ms: int | None = None
    cached: bool = False
    read_at: datetime = moment()


class CachedReading(SQLModel, table=True):
    """A provider's answer by content, kept until it expires."""

    __tablename__ = "cached_readings"

    provider: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    known: dict[str, Any] = document()
    unknown: dict[str, Any] = document()
    expires_at: datetime = moment()
