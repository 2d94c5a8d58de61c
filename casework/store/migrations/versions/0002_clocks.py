"""Clocks of gates, and who has each gate."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make both tables, with an index of what the sweep must look at."""
    _clocks()
    _assignments()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _index_of_present(name: str, table: str, column: str, *more: str) -> None:
    present = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, [column, *more], sqlite_where=present, postgresql_where=present)


def _clocks() -> None:
    op.create_table(
        "clocks",
        *map(_text, ("gate_id", "kind", "case_id", "policy_digest", "queue", "severity", "state")),
        _time("started_at", nullable=False),
        *map(_time, ("due_at", "ended_at", "next_at")),
        sa.Column("stops", sa.JSON(), nullable=False),
        sa.Column("taken", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("gate_id", "kind"),
    )
    _index_of_present("clocks_next", "clocks", "next_at", "gate_id", "kind")
    op.create_index("clocks_due", "clocks", ["state", "due_at"])


def _assignments() -> None:
    op.create_table(
        "assignments",
        *map(_text, ("gate_id", "case_id")),
        *(_text(name, nullable=True) for name in ("holder", "owner", "owner_queue")),
        *map(_time, ("assigned_at", "first_claimed_at", "last_claimed_at", "lease_until")),
        _text("hold_reason", nullable=True),
        *map(_time, ("held_at", "follow_up_at", "locked_at", "next_at")),
        sa.PrimaryKeyConstraint("gate_id"),
    )
    _index_of_present("assignments_next", "assignments", "next_at", "gate_id")
    _index_of_present("assignments_holder", "assignments", "holder")
