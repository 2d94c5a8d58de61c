"""How people sign in: passwords, one-time links, sessions. Secrets are kept as digests alone."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import moment


class Account(SQLModel, table=True):
    """A person's password, and the wrong ones given since the last right one."""

    __tablename__ = "accounts"

    person: str = Field(primary_key=True)
    password: str  # Argon2id, encoded with its parameters
    failures: int = 0
    closed_until: datetime | None = moment(nullable=True)
    changed_at: datetime = moment()


class SignInLink(SQLModel, table=True):
    """A link that signs somebody in once."""

    __tablename__ = "sign_in_links"

    fingerprint: str = Field(primary_key=True)
    person: str
    ends_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class ConsoleSession(SQLModel, table=True):
    """Somebody who has signed in, until it ends or is revoked."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_person", "person"),)

    fingerprint: str = Field(primary_key=True)
    person: str
    opened_at: datetime = moment()
    used_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
