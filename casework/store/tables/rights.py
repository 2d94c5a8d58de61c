"""Rights that somebody's errors speak against: proposed to be paused, paused, given back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class PausedRight(SQLModel, table=True):
    """One proposal to pause somebody's right, and what a lead made of it."""

    __tablename__ = "paused_rights"
    __table_args__ = (Index("paused_rights_person", "person", "status"),)

    id: str = Field(primary_key=True)
    person: str
    threshold: str  # its id in rights.yaml
    status: str  # proposed, dismissed, paused, restored
    denies: list[str] = document()  # what the guard refuses while it is paused
    found: dict[str, Any] = document()  # the figure that fell below, with its method
    policy_digest: str
    proposed_at: datetime = moment()
    # A lead's ruling.
    ruled_by: str | None = None
    ruled_at: datetime | None = moment(nullable=True)
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    # Giving it back.
    restored_by: str | None = None
    restored_at: datetime | None = moment(nullable=True)
    restored_because: str = Field(default="", sa_column=Column(Text, nullable=False))
