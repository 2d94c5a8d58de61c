"""Vendors and teams, the end of people's access, recusals, and rights that are paused."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables; whoever worked for a vendor before has done so since they were added."""
    for column in (_text("team", True), _text("phase", True)):
        op.add_column("people", column)
    for name in ("phase_since", "access_until", "access_ended_at"):
        op.add_column("people", _time(name, True))
    _vendors()
    _rights()
    op.create_table(
        "qa_recusals",
        sa.Column("case_id", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), primary_key=True),
        _time("at"),
    )
    op.execute(
        "INSERT INTO vendors (id, title, added_at) "
        "SELECT vendor, vendor, min(added_at) FROM people WHERE vendor IS NOT NULL GROUP BY vendor"
    )
    op.execute(
        "INSERT INTO placements (id, person, vendor, since, recorded_at) "
        "SELECT id, id, vendor, added_at, added_at FROM people"
    )


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _time(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _key() -> sa.Column[str]:
    return sa.Column("id", sa.String(), primary_key=True)


def _vendors() -> None:
    op.create_table(
        "vendors", _key(), _text("title"), _time("added_at"), _time("access_until", True)
    )
    op.create_table(
        "teams", _key(), _text("title"), _text("vendor", True), _text("site"), _time("added_at")
    )
    op.create_table(
        "placements",
        _key(),
        _text("person"),
        _text("vendor", True),
        _text("team", True),
        _time("since"),
        _time("recorded_at"),
    )
    op.create_index("placements_person", "placements", ["person", "since"])


def _rights() -> None:
    op.create_table(
        "paused_rights",
        _key(),
        *map(_text, ("person", "threshold", "status", "policy_digest")),
        sa.Column("denies", sa.JSON(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        _time("proposed_at"),
        _text("ruled_by", True),
        _time("ruled_at", True),
        sa.Column("reason", sa.Text(), nullable=False),
        _text("restored_by", True),
        _time("restored_at", True),
        sa.Column("restored_because", sa.Text(), nullable=False),
    )
    op.create_index("paused_rights_person", "paused_rights", ["person", "status"])
