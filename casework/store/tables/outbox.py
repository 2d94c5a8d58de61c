"""What is to be sent outside."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class OutboxRow(SQLModel, table=True):
    """One effect on its way out."""

    __tablename__ = "outbox"

    key: str = Field(primary_key=True)
    kind: str
    destination: str
    case_id: str | None = None
    data: dict[str, Any] = document()
    not_before: datetime | None = moment(nullable=True)
    status: str
    queued_at: datetime = moment()
