"""Clocks: what is promised about a gate, and when the ladder must look at it next."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from casework.store.indexes import index_where_set, index_where_unset
from casework.store.tables.columns import document, moment


class Clock(SQLModel, table=True):
    """One promise about one gate; the policy's digest, queue and severity say which."""

    __tablename__ = "clocks"
    __table_args__ = (
        index_where_set("clocks_next", "next_at", "gate_id", "kind"),
        Index("clocks_due", "state", "due_at"),
        Index("clocks_ended", "ended_at"),
        index_where_unset("clocks_going", "ended_at", "due_at", "gate_id"),
    )

    gate_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)  # first_touch, decision, partner_answer
    case_id: str
    policy_digest: str
    queue: str  # where the promise was made; the gate may have moved on
    severity: str
    state: str  # running, stopped, met, breached, cancelled
    started_at: datetime = moment()
    due_at: datetime | None = moment(nullable=True)  # None while a stop keeps it from being due
    ended_at: datetime | None = moment(nullable=True)
    next_at: datetime | None = moment(nullable=True)  # when the sweep must look at it
    stops: list[list[Any]] = document()  # since, until, reason; times as RFC 3339
    taken: list[str] = document()  # ids of the ladder's steps
