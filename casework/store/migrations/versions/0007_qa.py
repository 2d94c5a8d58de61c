"""Rounds of quality assurance, and what they need: whom people work for, decisions by time."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from casework.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of quality assurance."""
    op.add_column("people", _text("vendor", nullable=True))
    op.create_index("decisions_time", "decisions", ["decided_at"])
    _rounds()
    _items()
    _gates()
    _golden()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _maybe(*names: str) -> list[sa.Column[str]]:
    return [_text(name, nullable=True) for name in names]


def _key() -> sa.Column[str]:
    return sa.Column("id", sa.String(), primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _rounds() -> None:
    digests = ("plan_digest", "policy_digest", "population_digest", "sample_digest")
    op.create_table(
        "qa_rounds",
        _key(),
        *map(_text, ("kind", "plan", "seed", *digests, "drawn_by")),
        *map(_number, ("population", "sampled")),
        *map(_json, ("strata", "document")),
        *map(_time, ("opens", "closes", "drawn_at")),
    )


def _items() -> None:
    first = ("vendor", "action", "escalate_to", "severity", "clause", "rule_id")
    op.create_table(
        "qa_items",
        _key(),
        *map(_text, ("round_id", "decision_id", "case_id")),
        sa.Column("golden", sa.Boolean(), nullable=False),
        _number("revision"),
        _json("stratum"),
        *map(_text, ("queue", "origin", "evidence_digest", "policy_digest")),
        *map(_text, ("actor", "actor_kind", "verdict", "status")),
        *_maybe(*first, "error", "final_action", "final_escalate_to"),
        _time("settled_at", nullable=True),
    )
    op.create_index("qa_items_round", "qa_items", ["round_id"])
    op.create_index("qa_items_case", "qa_items", ["case_id"])


def _gates() -> None:
    answer = ("answered_by", "verdict", "action", "escalate_to", "clause", "error")
    op.create_table(
        "qa_gates",
        _key(),
        *map(_text, ("item_id", "round_id", "case_id", "kind", "queue", "status")),
        *_maybe("reserved_for", *answer),
        _time("opened_at"),
        _time("answered_at", nullable=True),
        sa.Column("rationale", sa.Text(), nullable=False),
    )
    op.create_index("qa_gates_waiting", "qa_gates", ["status", "opened_at"])
    op.create_index("qa_gates_item", "qa_gates", ["item_id"])


def _golden() -> None:
    op.create_table(
        "qa_golden",
        _key(),
        *map(_text, ("case_id", "queue", "evidence_digest", "policy_digest")),
        _number("revision"),
        *map(_text, ("verdict", "added_by")),
        *_maybe("action", "escalate_to", "clause"),
        sa.Column("rationale", sa.Text(), nullable=False),
        _time("added_at"),
        _time("retired_at", nullable=True),
    )
