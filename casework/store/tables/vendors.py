"""Vendors and teams, and since when somebody has worked for which."""

from datetime import datetime

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import moment


class Vendor(SQLModel, table=True):
    """A company whose people decide for us."""

    __tablename__ = "vendors"

    id: str = Field(primary_key=True)
    title: str
    added_at: datetime = moment()
    access_until: datetime | None = moment(nullable=True)  # the end of all its people's access
    # Those it has been given, beyond which its people see nothing; None: no limit.
    queues: list[str] | None = Field(None, sa_column=Column(JSON(none_as_null=True)))


class Team(SQLModel, table=True):
    """People who work together at one site, a vendor's or our own."""

    __tablename__ = "teams"

    id: str = Field(primary_key=True)
    title: str
    vendor: str | None = None
    site: str
    added_at: datetime = moment()


class Placement(SQLModel, table=True):
    """Where somebody works from a day on, until their next placement."""

    __tablename__ = "placements"
    __table_args__ = (Index("placements_person", "person", "since"),)

    id: str = Field(primary_key=True)  # from the person and the day
    person: str
    vendor: str | None = None
    team: str | None = None
    since: datetime = moment()
    recorded_at: datetime = moment()
