"""The reviewer's desk: playbook answers, need-to-know cases, preferences, a person's day."""

import sqlalchemy as sa
from alembic import op

from casework.store.indexes import ATTENDED
from casework.store.types import UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables of the desk, and the index by which a person's day is read."""
    op.create_table(
        "playbook_answers",
        sa.Column("gate_id", sa.String(), primary_key=True),
        sa.Column("step", sa.String(), primary_key=True),
        *(_text(name) for name in ("case_id", "playbook", "answer", "person")),
        sa.Column("revision", sa.Integer(), nullable=False),
        _time("answered_at"),
    )
    op.create_index("playbook_answers_case", "playbook_answers", ["case_id", "revision"])
    op.create_table(
        "case_restrictions",
        sa.Column("case_id", sa.String(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        _text("restricted_by"),
        _time("restricted_at"),
    )
    op.create_table(
        "case_grants",
        sa.Column("case_id", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), primary_key=True),
        _text("granted_by"),
        _time("granted_at"),
    )
    op.create_index("case_grants_person", "case_grants", ["person"])
    op.create_table(
        "preferences",
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("greyscale", sa.Boolean(), nullable=False),
        sa.Column("blur", sa.Boolean(), nullable=False),
        _time("changed_at"),
    )
    attended = sa.text(ATTENDED)
    op.create_index(
        "ledger_entries_attended",
        "ledger_entries",
        ["actor", "at"],
        sqlite_where=attended,
        postgresql_where=attended,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(), nullable=False)
