"""What sources deliver: intakes, and rows that could not become cases."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class Intake(SQLModel, table=True):
    """One reading of one file or stream, with its running counts."""

    __tablename__ = "intakes"

    id: str = Field(primary_key=True)
    source: str
    name: str
    mapping_digest: str
    status: str  # running, finished, failed
    received: int = 0
    opened: int = 0
    duplicates: int = 0
    revised: int = 0
    quarantined: int = 0
    started_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)


class Quarantined(SQLModel, table=True):
    """A row that could not become a case, with its raw bytes."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_status", "status", "id"),)

    id: str = Field(primary_key=True)  # from source, line and digest: the same row once
    intake_id: str
    source: str
    line: int
    reason: str  # stable code
    detail: str
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    raw_size: int  # bytes the row had; more than len(raw) where it was cut
    raw_digest: str
    mapping: dict[str, Any] = document()  # the mapping in force, so that a retry needs no file
    status: str  # waiting, retried, discarded
    quarantined_at: datetime = moment()
    resolved_at: datetime | None = moment(nullable=True)
    resolved_by: str | None = None
    case_id: str | None = None
