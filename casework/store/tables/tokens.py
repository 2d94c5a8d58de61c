"""Tokens of programs, and what was answered to them under an idempotency key."""

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class Token(SQLModel, table=True):
    """Lets a program act for a person, until it ends or is revoked. The secret is not kept."""

    __tablename__ = "tokens"
    __table_args__ = (Index("tokens_person", "person"),)

    id: str = Field(primary_key=True)
    fingerprint: str = Field(unique=True)  # SHA-256 of the secret
    person: str
    name: str
    scopes: list[str] = document()
    made_by: str
    made_at: datetime = moment()
    ends_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
    revoked_by: str | None = None


class Reply(SQLModel, table=True):
    """What was answered to a request that carried an idempotency key. It holds no content."""

    __tablename__ = "replies"
    __table_args__ = (Index("replies_end", "ends_at"),)

    token: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_digest: str
    status: int | None = None  # None: the request is still in hand
    body: str = Field(default="", sa_column=Column(Text, nullable=False))
    media_type: str = ""
    ends_at: datetime = moment()
