"""What other systems have posted, and who their accounts belong to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import big_integer, document, moment


class InboxMessage(SQLModel, table=True):
    """One genuine post, as it came, and what became of it."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index("inbox_status", "status", "number"),
        Index("inbox_reference", "vendor", "reference"),
    )

    number: int | None = big_integer(primary_key=True)  # the order in which they are read
    id: str = Field(unique=True)  # from the source and the delivery: the same post once
    source: str
    vendor: str
    headers: dict[str, Any] = document()
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    size: int
    digest: str  # SHA-256 of the body
    repeats: int = 0  # how often it was sent again
    status: str  # waiting, done, failed, discarded
    outcome: str | None = None  # stable code
    detail: str = ""  # for people; quotes nothing of the body
    case_id: str | None = None
    reference: str | None = None  # what the vendor calls what it is about
    received_at: datetime = moment()
    handled_at: datetime | None = moment(nullable=True)
    handled_by: str | None = None


class Identity(SQLModel, table=True):
    """An account in another system, and the person it belongs to."""

    __tablename__ = "identities"

    system: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    person: str = Field(index=True)
    linked_at: datetime = moment()
