"""Rounds of quality assurance: what was drawn, the gates of its re-review, and known answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from casework.store.tables.columns import document, moment


class QaRound(SQLModel, table=True):
    """One draw of a plan, or one set that a whole team is given, with all that repeats it."""

    __tablename__ = "qa_rounds"

    id: str = Field(primary_key=True)  # from plan, kind, seed and window: the same draw once
    kind: str  # sample, calibration
    plan: str
    seed: str
    opens: datetime = moment()  # the window of decisions, the end not in it
    closes: datetime = moment()
    plan_digest: str
    policy_digest: str
    population_digest: str
    sample_digest: str
    population: int
    sampled: int
    strata: list[dict[str, Any]] = document()  # traits, population and number sampled of each
    document: dict[str, Any] = document()  # the plan as it was
    drawn_by: str
    drawn_at: datetime = moment()


class QaItem(SQLModel, table=True):
    """One decision that is looked at again, as it was taken, and what came of it."""

    __tablename__ = "qa_items"
    __table_args__ = (Index("qa_items_round", "round_id"), Index("qa_items_case", "case_id"))

    id: str = Field(primary_key=True)
    round_id: str
    decision_id: str  # a decision's id; of a golden item, its own
    golden: bool = False
    case_id: str
    revision: int
    stratum: list[str] = document()
    queue: str  # where a reviewer must work to see it
    origin: str  # the queue whose actions were open to who decided
    evidence_digest: str
    policy_digest: str
    # The first decision, or the known answer.
    actor: str
    actor_kind: str
    vendor: str | None = None
    verdict: str
    action: str | None = None
    escalate_to: str | None = None
    severity: str | None = None
    clause: str | None = None
    rule_id: str | None = None
    # What came of it.
    status: str  # open, disputed, settled
    error: str | None = None  # a class of the bundle's taxonomy
    final_action: str | None = None
    final_escalate_to: str | None = None
    settled_at: datetime | None = moment(nullable=True)


class QaGate(SQLModel, table=True):
    """A point where one person looks at a decision again, and the answer given there."""

    __tablename__ = "qa_gates"
    __table_args__ = (
        Index("qa_gates_waiting", "status", "opened_at"),
        Index("qa_gates_item", "item_id"),
        Index("qa_gates_case", "case_id"),
    )

    id: str = Field(primary_key=True)
    item_id: str
    round_id: str
    case_id: str
    kind: str  # review, adjudication
    queue: str
    reserved_for: str | None = None  # a member of the team that is calibrated
    status: str  # open, answered
    opened_at: datetime = moment()
    # The answer, once it is given.
    answered_by: str | None = None
    answered_at: datetime | None = moment(nullable=True)
    verdict: str | None = None
    action: str | None = None
    escalate_to: str | None = None
    clause: str | None = None
    error: str | None = None
    rationale: str = Field(default="", sa_column=Column(Text, nullable=False))


class QaGolden(SQLModel, table=True):
    """A decision whose right answer is known, to be mixed in among others."""

    __tablename__ = "qa_golden"

    id: str = Field(primary_key=True)
    case_id: str
    revision: int
    queue: str
    evidence_digest: str
    policy_digest: str
    verdict: str
    action: str | None = None
    escalate_to: str | None = None
    clause: str | None = None
    rationale: str = Field(sa_column=Column(Text, nullable=False))
    added_by: str
    added_at: datetime = moment()
    retired_at: datetime | None = moment(nullable=True)


class QaRecusal(SQLModel, table=True):
    """Somebody who wanted to see what was decided about a case, and so does not review it."""

    __tablename__ = "qa_recusals"

    case_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    at: datetime = moment()
