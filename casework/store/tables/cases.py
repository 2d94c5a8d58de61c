"""Cases and the contents of their revisions."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from casework.store.indexes import index_of_record, index_of_stages
from casework.store.tables.columns import document, moment


class Case(SQLModel, table=True):
    """The unit of work, as it stands now. Its past is in the ledger."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_status", "status", "severity", "received_at"),
        index_of_record("cases_subject", "subject_id"),
        index_of_record("cases_reporter", "reporter_id"),
        Index("cases_intake", "intake_id"),
        index_of_stages(),
    )

    id: str = Field(primary_key=True)
    source: str
    external_id: str
    revision: int
    status: str
    content_digest: str
    intake_id: str
    kind: str | None = None
    channel: str | None = None
    language: str | None = None
    country: str | None = None
    subject_id: str | None = None
    reporter_id: str | None = None
    received_at: datetime = moment()
    opened_at: datetime = moment()
    updated_at: datetime = moment()
    closed_at: datetime | None = moment(nullable=True)
    # The decision in force: the machine's, then the last person's.
    route: str | None = None
    severity: str | None = None
    queue: str | None = None
    action: str | None = None
    rule_id: str | None = None
    policy_digest: str | None = None


class CaseRevision(SQLModel, table=True):
    """The content of one revision of a case. Written once."""

    __tablename__ = "case_revisions"

    case_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    content: dict[str, Any] = document()  # an Item, without its defaults
    content_digest: str
    intake_id: str
    recorded_at: datetime = moment()
