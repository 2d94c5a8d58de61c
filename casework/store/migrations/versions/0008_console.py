"""Accounts of the console: passwords, one-time links, sessions."""

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables of accounts."""
    op.create_table(
        "accounts",
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("closed_until", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("fingerprint", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
    )
    op.create_table(
        "sessions",
        sa.Column("fingerprint", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
    )
    op.create_index("sessions_person", "sessions", ["person"])
