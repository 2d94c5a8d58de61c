"""Gates, the decisions at them, and the people who answer."""

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from casework.store.indexes import index_of_answers, index_of_waiting
from casework.store.tables.columns import document, moment
from casework.store.types import NEVER


class Decision(SQLModel, table=True):
    """One decision, a machine's or a person's, in one shape. Written once."""

    __tablename__ = "decisions"
    __table_args__ = (
        index_of_answers(),
        Index("decisions_case", "case_id", "revision"),
        Index("decisions_time", "decided_at"),
    )

    id: str = Field(primary_key=True)
    case_id: str
    revision: int
    gate_id: str | None = None  # None: decided by the machine
    actor: str
    actor_kind: str  # machine, person, unverified
    verdict: str  # machine: a Route; person: approve, refuse, escalate
    action: str | None = None
    severity: str | None = None
    queue: str | None = None
    rule_id: str | None = None
    clause: str | None = None
    rationale: str = Field(default="", sa_column=Column(Text, nullable=False))
    unknown: list[str] = document()  # signals that kept a rule from being decided
    evidence_digest: str
    policy_digest: str
    code_version: str
    flow_run_id: str | None = None
    decided_at: datetime = moment()


class Gate(SQLModel, table=True):
    """A point where people must decide before a case goes on."""

    __tablename__ = "gates"
    __table_args__ = (
        Index("gates_waiting", "status", "severity", "opened_at"),
        Index("gates_case", "case_id"),
        Index("gates_run", "flow_run_id"),
        index_of_waiting("gates_urgency", "queue", "severity", "ranks_at", "opened_at", "id"),
        index_of_waiting("gates_oldest", "queue", "opened_at"),
        index_of_waiting("gates_policies", "policy_digest"),
    )

    id: str = Field(primary_key=True)
    case_id: str
    revision: int
    step: int  # first gate of the revision is 1; an escalation opens the next
    queue: str
    severity: str
    proposed_action: str | None = None
    reason: str = ""
    requested_by: str  # may not answer
    status: str  # open, decided, carried_out, superseded
    verdict: str | None = None
    action: str | None = None
    escalate_to: str | None = None
    evidence_digest: str
    policy_digest: str
    attempt: int = 1  # raised each time a run woke without a sufficient decision
    flow_run_id: str | None = None
    opened_at: datetime = moment()
    ranks_at: datetime = moment(default=NEVER)  # when its decision is due; NEVER while at no time
    decided_at: datetime | None = moment(nullable=True)
    settled_at: datetime | None = moment(nullable=True)


class Person(SQLModel, table=True):
    """Someone who may answer at gates."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    name: str
    roles: list[str] = document()
    queues: list[str] = document()  # "*" is every queue
    active: bool = True
    vendor: str | None = None  # whom they work for, where it is not us
    team: str | None = None
    phase: str | None = None  # onboarding, ramp, steady; None: counted from added_at
    phase_since: datetime | None = moment(nullable=True)
    added_at: datetime = moment()
    access_until: datetime | None = moment(nullable=True)
    access_ended_at: datetime | None = moment(nullable=True)  # when that end was carried out
