"""The first tables, and the triggers that keep history as it was written."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0001"
down_revision = None

#: Tables whose rows are written once. Their UPDATE, DELETE and TRUNCATE are refused.
APPEND_ONLY: Final = (
    "ledger_entries",
    "ledger_leaves",
    "checkpoints",
    "decisions",
    "case_revisions",
)


def upgrade() -> None:
    """Make every table of the first release."""
    _intake()
    _cases()
    _signals()
    _policy()
    _decisions()
    _gates()
    _ledger()
    _refuse_changes()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _big(name: str, **options: Any) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, nullable=False, **options)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _intake() -> None:
    op.create_table(
        "intakes",
        _text("id"),
        *map(_text, ("source", "name", "mapping_digest", "status")),
        *map(_number, ("received", "opened", "duplicates", "revised", "quarantined")),
        _time("started_at"),
        _time("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "quarantine",
        *map(_text, ("id", "intake_id", "source")),
        _number("line"),
        *map(_text, ("reason", "detail")),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        _number("raw_size"),
        _text("raw_digest"),
        _json("mapping"),
        _text("status"),
        _time("quarantined_at"),
        _time("resolved_at", nullable=True),
        _text("resolved_by", nullable=True),
        _text("case_id", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("quarantine_status", "quarantine", ["status", "id"])


def _cases() -> None:
    op.create_table(
        "cases",
        *map(_text, ("id", "source", "external_id")),
        _number("revision"),
        *map(_text, ("status", "content_digest", "intake_id")),
        *(_text(name, nullable=True) for name in ("kind", "channel", "language", "country")),
        *(_text(name, nullable=True) for name in ("subject_id", "reporter_id")),
        *map(_time, ("received_at", "opened_at", "updated_at")),
        _time("closed_at", nullable=True),
        *(_text(name, nullable=True) for name in ("route", "severity", "queue", "action")),
        *(_text(name, nullable=True) for name in ("rule_id", "policy_digest")),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cases_status", "cases", ["status", "severity", "received_at"])
    op.create_index("cases_intake", "cases", ["intake_id"])
    waits = sa.text("status = 'opened' OR status = 'enriched'")
    stage = ["status", "intake_id", "id"]
    op.create_index("cases_stage", "cases", stage, sqlite_where=waits, postgresql_where=waits)
    for name, column in (("cases_subject", "subject_id"), ("cases_reporter", "reporter_id")):
        named, columns = sa.column(column).isnot(None), [column, "received_at", "status", "action"]
        op.create_index(name, "cases", columns, sqlite_where=named, postgresql_where=named)
    op.create_table(
        "case_revisions",
        _text("case_id"),
        _number("revision"),
        _json("content"),
        *map(_text, ("content_digest", "intake_id")),
        _time("recorded_at"),
        sa.PrimaryKeyConstraint("case_id", "revision"),
    )


def _signals() -> None:
    op.create_table(
        "signal_readings",
        _text("case_id"),
        _number("revision"),
        *map(_text, ("provider", "version")),
        *map(_json, ("known", "unknown")),
        _number("latency_ms", nullable=True),
        sa.Column("cached", sa.Boolean(), nullable=False),
        _time("read_at"),
        sa.PrimaryKeyConstraint("case_id", "revision", "provider"),
    )
    op.create_table(
        "cached_readings",
        *map(_text, ("provider", "version", "key")),
        *map(_json, ("known", "unknown")),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("provider", "version", "key"),
    )


def _policy() -> None:
    op.create_table(
        "policy_bundles",
        *map(_text, ("digest", "name", "version")),
        _json("files"),
        _time("adopted_at"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "people",
        *map(_text, ("id", "name")),
        *map(_json, ("roles", "queues")),
        sa.Column("active", sa.Boolean(), nullable=False),
        _time("added_at"),
        sa.PrimaryKeyConstraint("id"),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        *map(_text, ("id", "case_id")),
        _number("revision"),
        _text("gate_id", nullable=True),
        *map(_text, ("actor", "actor_kind", "verdict")),
        *(_text(name, nullable=True) for name in ("action", "severity", "queue")),
        *(_text(name, nullable=True) for name in ("rule_id", "clause")),
        sa.Column("rationale", sa.Text(), nullable=False),
        _json("unknown"),
        *map(_text, ("evidence_digest", "policy_digest", "code_version")),
        _text("flow_run_id", nullable=True),
        _time("decided_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decisions_case", "decisions", ["case_id", "revision"])
    at_gate = sa.column("gate_id").isnot(None)
    op.create_index(
        "decisions_answer",
        "decisions",
        ["gate_id", "actor"],
        unique=True,
        sqlite_where=at_gate,
        postgresql_where=at_gate,
    )


def _gates() -> None:
    op.create_table(
        "gates",
        *map(_text, ("id", "case_id")),
        *map(_number, ("revision", "step")),
        *map(_text, ("queue", "severity")),
        _text("proposed_action", nullable=True),
        *map(_text, ("reason", "requested_by", "status")),
        *(_text(name, nullable=True) for name in ("verdict", "action", "escalate_to")),
        *map(_text, ("evidence_digest", "policy_digest")),
        _number("attempt"),
        _text("flow_run_id", nullable=True),
        _time("opened_at"),
        _time("decided_at", nullable=True),
        _time("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("gates_waiting", "gates", ["status", "severity", "opened_at"])
    op.create_index("gates_case", "gates", ["case_id"])
    op.create_index("gates_run", "gates", ["flow_run_id"])


def _ledger() -> None:
    op.create_table(
        "ledger_entries",
        _big("id"),
        _text("chain"),
        _number("position"),
        *map(_text, ("action", "actor")),
        _time("at"),
        sa.Column("body", sa.Text(), nullable=False),
        _text("digest"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chain", "position"),
    )
    op.create_table(
        "ledger_leaves",
        _big("leaf_index", autoincrement=False),
        _big("entry_id"),
        _text("digest"),
        sa.PrimaryKeyConstraint("leaf_index"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "checkpoints",
        _big("size", autoincrement=False),
        _text("root"),
        _json("frontier"),
        _big("sealed_through"),
        sa.Column("note", sa.Text(), nullable=False),
        _time("signed_at"),
        sa.PrimaryKeyConstraint("size"),
    )


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            _refuse_on_sqlite(table)
        return
    # 23001 is restrict_violation, which drivers report as an integrity error, as SQLite does.
    op.execute(
        """
        CREATE FUNCTION casework_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'casework: % is append-only', TG_TABLE_NAME USING ERRCODE = '23001';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION casework_refuse()"
        )
        # ALWAYS: a session that says it replicates is refused too.
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")


def _refuse_on_sqlite(table: str) -> None:
    """Refuse changes; REPLACE deletes too, and fires this because of ``recursive_triggers``."""
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'casework: {table} is append-only'); END"
        )
