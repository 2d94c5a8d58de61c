"""Incidents: their cases, roles, notes, tasks, updates, follow-ups, reports, and holds."""

from datetime import datetime

from sqlalchemy import Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import moment


def _words() -> str:
    """Text that people wrote. It stays in the store; the ledger has its digest."""
    words: str = Field(sa_column=Column(Text, nullable=False))
    return words


class Incident(SQLModel, table=True):
    """An incident, as it stands now. Its past is in the ledger."""

    __tablename__ = "incidents"
    __table_args__ = (Index("incidents_status", "status", "severity", "opened_at"),)

    id: str = Field(primary_key=True)  # from the key its opener gave: opened once
    title: str = _words()
    severity: str
    category: str | None = None
    status: str
    opened_by: str
    detected_at: datetime | None = moment(nullable=True)  # None: when its first case arrived
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(nullable=True)


class IncidentCase(SQLModel, table=True):
    """A case's time under an incident. A case that comes back begins another."""

    __tablename__ = "incident_cases"
    __table_args__ = (Index("incident_cases_case", "case_id"),)

    incident_id: str = Field(primary_key=True)
    case_id: str = Field(primary_key=True)
    turn: int = Field(primary_key=True)
    attached_at: datetime = moment()
    attached_by: str
    detached_at: datetime | None = moment(nullable=True)
    detached_by: str | None = None


class IncidentTenure(SQLModel, table=True):
    """A person's time in a role of an incident."""

    __tablename__ = "incident_tenures"
    # What the pure functions see to, the database sees to as well: one at a time.
    __table_args__ = (
        Index(
            "incident_tenures_current",
            "incident_id",
            "role",
            unique=True,
            sqlite_where=text("renounced_at IS NULL AND role NOT LIKE 'liaison%'"),
            postgresql_where=text("renounced_at IS NULL AND role NOT LIKE 'liaison%'"),
        ),
    )

    incident_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    role: str
    person: str
    assumed_at: datetime = moment()
    assumed_by: str
    renounced_at: datetime | None = moment(nullable=True)
    renounced_by: str | None = None


class IncidentNote(SQLModel, table=True):
    """A note. Written once; it is corrected by a further one alone."""

    __tablename__ = "incident_notes"
    __table_args__ = (UniqueConstraint("incident_id", "key"),)

    incident_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    key: str
    text: str = _words()
    corrects: int | None = None  # the number of an earlier note
    author: str
    noted_at: datetime = moment()


class IncidentTask(SQLModel, table=True):
    """What a partner team owes, and by when."""

    __tablename__ = "incident_tasks"
    __table_args__ = (UniqueConstraint("incident_id", "key"),)

    incident_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    key: str
    partner: str
    what: str = _words()
    due: datetime = moment()
    asked_by: str
    asked_at: datetime = moment()
    done_at: datetime | None = moment(nullable=True)
    cancelled_at: datetime | None = moment(nullable=True)
    settled_by: str | None = None


class IncidentUpdate(SQLModel, table=True):
    """A status update as it was told. Written once."""

    __tablename__ = "incident_updates"
    __table_args__ = (UniqueConstraint("incident_id", "key"),)

    incident_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    key: str
    audience: str
    macro: str
    policy_digest: str
    text: str = _words()
    digest: str
    told_by: str
    told_at: datetime = moment()


class IncidentFollowUp(SQLModel, table=True):
    """What somebody will do after the incident so that it does not come again."""

    __tablename__ = "incident_follow_ups"
    __table_args__ = (UniqueConstraint("incident_id", "key"),)

    incident_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    key: str
    what: str = _words()
    owner: str
    due: datetime = moment()
    added_by: str
    added_at: datetime = moment()
    done_at: datetime | None = moment(nullable=True)
    done_by: str | None = None


class IncidentReport(SQLModel, table=True):
    """The report as it stood when the incident was closed. Written once."""

    __tablename__ = "incident_reports"

    incident_id: str = Field(primary_key=True)
    markdown: str = _words()
    digest: str
    made_at: datetime = moment()


class Hold(SQLModel, table=True):
    """What keeps the machine from closing cases of one scope, for an incident."""

    __tablename__ = "holds"
    __table_args__ = (
        Index(
            "holds_active",
            "id",
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
        UniqueConstraint("incident_id", "number"),
    )

    id: str = Field(primary_key=True)
    incident_id: str
    number: int
    scope: str
    value: str  # empty for the cases of the incident
    reason: str = _words()
    placed_by: str
    placed_at: datetime = moment()
    lifted_at: datetime | None = moment(nullable=True)
    lifted_by: str | None = None


class HeldCase(SQLModel, table=True):
    """A revision of a case that the machine would have closed, but for a hold. Written once."""

    __tablename__ = "held_cases"
    __table_args__ = (Index("held_cases_hold", "hold_id"),)

    case_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    hold_id: str
    action: str | None = None  # what it would have been closed with
    held_at: datetime = moment()
