"""Incidents, all that belongs to them, and holds."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"

#: Tables whose rows are written once. Their UPDATE, DELETE and TRUNCATE are refused.
APPEND_ONLY: Final = ("incident_notes", "incident_updates", "incident_reports", "held_cases")

_LIFTED: Final = "lifted_at IS NULL"
_SINGLE: Final = "renounced_at IS NULL AND role NOT LIKE 'liaison%'"


def upgrade() -> None:
    """Make the tables of incidents and holds."""
    _incidents()
    _people()
    _words()
    _work()
    _holds()
    for table in APPEND_ONLY:
        _refuse_changes(table)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _incidents() -> None:
    op.create_table(
        "incidents",
        _text("id"),
        _long("title"),
        _text("severity"),
        _text("category", nullable=True),
        *map(_text, ("status", "opened_by")),
        _time("detected_at", nullable=True),
        _time("opened_at"),
        _time("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incidents_status", "incidents", ["status", "severity", "opened_at"])
    op.create_table(
        "incident_cases",
        *map(_text, ("incident_id", "case_id")),
        _number("turn"),
        _time("attached_at"),
        _text("attached_by"),
        _time("detached_at", nullable=True),
        _text("detached_by", nullable=True),
        sa.PrimaryKeyConstraint("incident_id", "case_id", "turn"),
    )
    op.create_index("incident_cases_case", "incident_cases", ["case_id"])


def _people() -> None:
    op.create_table(
        "incident_tenures",
        _text("incident_id"),
        _number("number"),
        *map(_text, ("role", "person")),
        _time("assumed_at"),
        _text("assumed_by"),
        _time("renounced_at", nullable=True),
        _text("renounced_by", nullable=True),
        sa.PrimaryKeyConstraint("incident_id", "number"),
    )
    op.create_index(
        "incident_tenures_current",
        "incident_tenures",
        ["incident_id", "role"],
        unique=True,
        sqlite_where=sa.text(_SINGLE),
        postgresql_where=sa.text(_SINGLE),
    )


def _numbered(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        _text("incident_id"),
        _number("number"),
        _text("key"),
        *columns,
        sa.PrimaryKeyConstraint("incident_id", "number"),
        sa.UniqueConstraint("incident_id", "key"),
    )


def _words() -> None:
    _numbered(
        "incident_notes",
        _long("text"),
        _number("corrects", nullable=True),
        _text("author"),
        _time("noted_at"),
    )
    _numbered(
        "incident_updates",
        *map(_text, ("audience", "macro", "policy_digest")),
        _long("text"),
        *map(_text, ("digest", "told_by")),
        _time("told_at"),
    )
    op.create_table(
        "incident_reports",
        _text("incident_id"),
        _long("markdown"),
        _text("digest"),
        _time("made_at"),
        sa.PrimaryKeyConstraint("incident_id"),
    )


def _work() -> None:
    _numbered(
        "incident_tasks",
        _text("partner"),
        _long("what"),
        _time("due"),
        _text("asked_by"),
        _time("asked_at"),
        _time("done_at", nullable=True),
        _time("cancelled_at", nullable=True),
        _text("settled_by", nullable=True),
    )
    _numbered(
        "incident_follow_ups",
        _long("what"),
        _text("owner"),
        _time("due"),
        _text("added_by"),
        _time("added_at"),
        _time("done_at", nullable=True),
        _text("done_by", nullable=True),
    )


def _holds() -> None:
    op.create_table(
        "holds",
        *map(_text, ("id", "incident_id")),
        _number("number"),
        *map(_text, ("scope", "value")),
        _long("reason"),
        _text("placed_by"),
        _time("placed_at"),
        _time("lifted_at", nullable=True),
        _text("lifted_by", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident_id", "number"),
    )
    active = sa.text(_LIFTED)
    op.create_index("holds_active", "holds", ["id"], sqlite_where=active, postgresql_where=active)
    op.create_table(
        "held_cases",
        _text("case_id"),
        _number("revision"),
        _text("hold_id"),
        _text("action", nullable=True),
        _time("held_at"),
        sa.PrimaryKeyConstraint("case_id", "revision"),
    )
    op.create_index("held_cases_hold", "held_cases", ["hold_id"])


def _refuse_changes(table: str) -> None:
    """Refuse changes, as the first migration does for the ledger."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'casework: {table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION casework_refuse()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")
