"""Who has a gate now; the ledger says who had it before."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from casework.store.indexes import index_on_hold, index_where_set
from casework.store.tables.columns import moment


class Assignment(SQLModel, table=True):
    """Who has a gate, whether it is on hold or locked. There is none for one nobody has touched."""

    __tablename__ = "assignments"
    __table_args__ = (
        index_where_set("assignments_next", "next_at", "gate_id"),
        index_where_set("assignments_holder", "holder"),
        index_on_hold(),
    )

    gate_id: str = Field(primary_key=True)
    case_id: str
    holder: str | None = None
    owner: str | None = None  # who had it when it went to a partner, and has it when it comes back
    owner_queue: str | None = None
    assigned_at: datetime | None = moment(nullable=True)  # by somebody else, the last time
    first_claimed_at: datetime | None = moment(nullable=True)
    last_claimed_at: datetime | None = moment(nullable=True)
    lease_until: datetime | None = moment(nullable=True)  # None: until somebody else says so
    hold_reason: str | None = None
    held_at: datetime | None = moment(nullable=True)
    follow_up_at: datetime | None = moment(nullable=True)
    locked_at: datetime | None = moment(nullable=True)
    next_at: datetime | None = moment(nullable=True)  # when a lease or a hold runs out
