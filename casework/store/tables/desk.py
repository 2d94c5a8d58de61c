"""What people's work leaves behind, and who may see what: playbooks, need to know, preferences."""

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import moment


class PlaybookAnswer(SQLModel, table=True):
    """What was answered last to one step of a playbook at one gate; the ledger has the others."""

    __tablename__ = "playbook_answers"
    __table_args__ = (Index("playbook_answers_case", "case_id", "revision"),)

    gate_id: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    case_id: str
    revision: int
    playbook: str
    answer: str
    person: str
    answered_at: datetime = moment()


class CaseRestriction(SQLModel, table=True):
    """A case that only named people may know of, as long as this row stands."""

    __tablename__ = "case_restrictions"

    case_id: str = Field(primary_key=True)
    alias: str  # random; stands for the case where others may read
    reason: str = Field(sa_column=Column(Text, nullable=False))
    restricted_by: str
    restricted_at: datetime = moment()


class CaseGrant(SQLModel, table=True):
    """Somebody who may know of a restricted case."""

    __tablename__ = "case_grants"
    __table_args__ = (Index("case_grants_person", "person"),)

    case_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    granted_by: str
    granted_at: datetime = moment()


class Preference(SQLModel, table=True):
    """How somebody wants marked evidence shown to them."""

    __tablename__ = "preferences"

    person: str = Field(primary_key=True)
    greyscale: bool = True
    blur: bool = False
    changed_at: datetime = moment()
