"""The outbox: effects on their way to the world outside, and each attempt to send one."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class QueuedEffect(SQLModel, table=True):
    """An effect, written in the transaction of what caused it. It carries ids, never text."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_due", "status", "destination", "due_at"),
        Index("outbox_case", "case_id"),
    )

    key: str = Field(primary_key=True)  # the idempotency key, given to the destination too
    kind: str  # EffectKind
    destination: str
    case_id: str | None = None
    data: dict[str, Any] = document()  # ids, names of macros and actions
    status: str  # EffectStatus
    queued_at: datetime = moment()
    not_before: datetime | None = moment(nullable=True)
    after: str | None = None  # key of an effect that must have come to an end before
    due_at: datetime = moment()  # when it may be tried next
    attempts: int = 0  # all there were
    failures: int = 0  # those that failed since it was queued or retried
    leased_until: datetime | None = moment(nullable=True)  # a sender has it in hand until then
    error: str | None = None  # code of the last failure
    reference: str | None = None  # the destination's own id for what it made
    settled_at: datetime | None = moment(nullable=True)
    settled_by: str | None = None


class BreakerState(SQLModel, table=True):
    """The circuit breaker of one destination, shared by all senders."""

    __tablename__ = "breakers"

    destination: str = Field(primary_key=True)
    failures: int = 0  # in a row
    opened_at: datetime | None = moment(nullable=True)
    rests_until: datetime | None = moment(nullable=True)


class DeliveryAttempt(SQLModel, table=True):
    """One attempt to send an effect; without an end where its sender was stopped in the middle."""

    __tablename__ = "delivery_attempts"

    effect: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    sender: str  # which process
    began_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
    outcome: str | None = None  # sent, or the code of an error
    message: str = Field(default="", sa_column=Column(Text, nullable=False))
