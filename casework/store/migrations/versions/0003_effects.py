"""The outbox, the attempts to send what is in it, and the breakers of its destinations."""

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(), primary_key=True),
        *map(_text, ("kind", "destination")),
        _text("case_id", nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        _text("status"),
        _time("queued_at"),
        _time("not_before", nullable=True),
        _text("after", nullable=True),
        _time("due_at"),
        *map(_number, ("attempts", "failures")),
        _time("leased_until", nullable=True),
        *(_text(name, nullable=True) for name in ("error", "reference")),
        _time("settled_at", nullable=True),
        _text("settled_by", nullable=True),
    )
    op.create_index("outbox_due", "outbox", ["status", "destination", "due_at"])
    op.create_index("outbox_case", "outbox", ["case_id"])
    op.create_table(
        "breakers",
        sa.Column("destination", sa.String(), primary_key=True),
        _number("failures"),
        *(_time(name, nullable=True) for name in ("opened_at", "rests_until")),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("effect", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        _text("sender"),
        _time("began_at"),
        _time("ended_at", nullable=True),
        _text("outcome", nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[UtcDateTime]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)
