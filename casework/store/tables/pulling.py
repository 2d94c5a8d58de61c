"""How far each source has been pulled."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from casework.store.tables.columns import moment


class PullCursor(SQLModel, table=True):
    """Where the next pull of a source goes on, and the intake that moved it there."""

    __tablename__ = "pull_cursors"

    source: str = Field(primary_key=True)
    cursor: str | None = None
    intake_id: str | None = None
    moved_at: datetime = moment()
