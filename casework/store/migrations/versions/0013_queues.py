"""Queues in their order: when each gate is due, on the gate, and indexes of what waits."""

import sqlalchemy as sa
from alembic import op

from casework.store.types import NEVER, UtcDateTime

revision = "0013"
down_revision = "0012"

_WAITS = sa.text("status = 'open'")
_GOES_ON = sa.text("ended_at IS NULL")
_ON_HOLD = sa.text("follow_up_at IS NOT NULL")


def upgrade() -> None:
    """Rank the gates there are as new ones are ranked, then index what waits."""
    written = "9999-01-01 00:00:00.000000"
    if op.get_bind().dialect.name == "postgresql":
        written += "+00"
    op.add_column(
        "gates",
        sa.Column(
            "ranks_at", UtcDateTime(), nullable=False, server_default=sa.text(f"'{written}'")
        ),
    )
    gates = sa.table("gates", sa.column("id"), sa.column("ranks_at", UtcDateTime()))
    clocks = sa.table("clocks", *map(sa.column, ("gate_id", "kind", "due_at")))
    due = (
        sa.select(clocks.c.due_at)
        .where(clocks.c.gate_id == gates.c.id, clocks.c.kind == "decision")
        .scalar_subquery()
    )
    op.execute(
        gates.update().values(ranks_at=sa.func.coalesce(due, sa.literal(NEVER, UtcDateTime())))
    )
    for name, table, columns, where in (
        ("gates_urgency", "gates", ("queue", "severity", "ranks_at", "opened_at", "id"), _WAITS),
        ("gates_oldest", "gates", ("queue", "opened_at"), _WAITS),
        ("gates_policies", "gates", ("policy_digest",), _WAITS),
        ("clocks_going", "clocks", ("due_at", "gate_id"), _GOES_ON),
        ("assignments_on_hold", "assignments", ("gate_id",), _ON_HOLD),
    ):
        op.create_index(name, table, list(columns), sqlite_where=where, postgresql_where=where)
