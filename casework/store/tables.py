"""Every table of the store. Queries live beside this module, one file per noun.

Tables do not validate: what comes from outside passes a pydantic schema first.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from casework.store.indexes import index_of_acted_on, index_of_present, index_of_stages
from casework.store.types import UtcDateTime


def _big(**column: Any) -> Any:
    """A 64-bit number; SQLite wants INTEGER for a key that is the row's own id."""
    return Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), nullable=False, **column),
    )


def _json(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(JSON, nullable=nullable))


def _time(*, nullable: bool = False) -> Any:
    default: dict[str, Any] = {"default": None} if nullable else {}
    return Field(sa_column=Column(UtcDateTime, nullable=nullable), **default)


class Intake(SQLModel, table=True):
    """One reading of one file or stream, with its running counts."""

    __tablename__ = "intakes"

    id: str = Field(primary_key=True)
    source: str
    name: str
    mapping_digest: str
    status: str  # running, finished, failed
    received: int = 0
    opened: int = 0
    duplicates: int = 0
    revised: int = 0
    quarantined: int = 0
    started_at: datetime = _time()
    finished_at: datetime | None = _time(nullable=True)


class Case(SQLModel, table=True):
    """The unit of work, as it stands now. Its past is in the ledger."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_status", "status", "severity", "received_at"),
        index_of_present("cases_subject", "subject_id"),
        index_of_present("cases_reporter", "reporter_id"),
        index_of_acted_on("cases_subject_acted", "subject_id"),
        index_of_acted_on("cases_reporter_acted", "reporter_id"),
        Index("cases_intake", "intake_id"),
        index_of_stages(),
    )

    id: str = Field(primary_key=True)
    source: str
    external_id: str
    revision: int
    status: str
    content_digest: str
    intake_id: str
    kind: str | None = None
    channel: str | None = None
    language: str | None = None
    country: str | None = None
    subject_id: str | None = None
    reporter_id: str | None = None
    received_at: datetime = _time()
    opened_at: datetime = _time()
    updated_at: datetime = _time()
    closed_at: datetime | None = _time(nullable=True)
    # The decision in force: the machine's, then the last person's.
    route: str | None = None
    severity: str | None = None
    queue: str | None = None
    action: str | None = None
    rule_id: str | None = None
    policy_digest: str | None = None


class CaseRevision(SQLModel, table=True):
    """The content of one revision of a case. Written once."""

    __tablename__ = "case_revisions"

    case_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    content: dict[str, Any] = _json()  # an Item, without its defaults
    content_digest: str
    intake_id: str
    recorded_at: datetime = _time()


class SignalReading(SQLModel, table=True):
    """What one provider said about one revision. Written once."""

    __tablename__ = "signal_readings"

    case_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    provider: str = Field(primary_key=True)
    version: str
    known: dict[str, Any] = _json()  # signal -> value
    unknown: dict[str, Any] = _json()  # signal -> reason
    latency_ms: int | None = None
    cached: bool = False
    read_at: datetime = _time()


class CachedReading(SQLModel, table=True):
    """A provider's answer by content, kept until it expires."""

    __tablename__ = "cached_readings"

    provider: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    known: dict[str, Any] = _json()
    unknown: dict[str, Any] = _json()
    expires_at: datetime = _time()


class Quarantined(SQLModel, table=True):
    """A row that could not become a case, with its raw bytes."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_status", "status", "id"),)

    id: str = Field(primary_key=True)  # from source, line and digest: the same row once
    intake_id: str
    source: str
    line: int
    reason: str  # stable code
    detail: str
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    raw_size: int  # bytes the row had; more than len(raw) where it was cut
    raw_digest: str
    mapping: dict[str, Any] = _json()  # the mapping in force, so that a retry needs no file
    status: str  # waiting, retried, discarded
    quarantined_at: datetime = _time()
    resolved_at: datetime | None = _time(nullable=True)
    resolved_by: str | None = None
    case_id: str | None = None


class PolicyBundle(SQLModel, table=True):
    """A bundle that has decided something, whole, so that every decision can be replayed."""

    __tablename__ = "policy_bundles"

    digest: str = Field(primary_key=True)
    name: str
    version: str
    files: dict[str, Any] = _json()  # relative path -> text
    adopted_at: datetime = _time()


class Decision(SQLModel, table=True):
    """One decision, a machine's or a person's, in one shape. Written once."""

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("gate_id", "actor"),
        Index("decisions_case", "case_id", "revision"),
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
    unknown: list[str] = _json()  # signals that kept a rule from being decided
    evidence_digest: str
    policy_digest: str
    code_version: str
    flow_run_id: str | None = None
    decided_at: datetime = _time()


class Gate(SQLModel, table=True):
    """A point where people must decide before a case goes on."""

    __tablename__ = "gates"
    __table_args__ = (
        Index("gates_waiting", "status", "severity", "opened_at"),
        Index("gates_case", "case_id"),
        Index("gates_run", "flow_run_id"),
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
    opened_at: datetime = _time()
    decided_at: datetime | None = _time(nullable=True)
    settled_at: datetime | None = _time(nullable=True)


class Person(SQLModel, table=True):
    """Someone who may answer at gates."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    name: str
    roles: list[str] = _json()
    queues: list[str] = _json()  # "*" is every queue
    active: bool = True
    added_at: datetime = _time()


class LedgerEntry(SQLModel, table=True):
    """One line of the history; triggers refuse UPDATE and DELETE.

    ``body`` is the canonical JSON whose SHA-256 is ``digest``; the other columns repeat parts of
    it for look-ups, and verification checks that they agree.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (UniqueConstraint("chain", "position"),)

    id: int | None = _big(primary_key=True)
    chain: str  # a case id, or "system"
    position: int  # 0, 1, 2 ... within the chain
    action: str
    actor: str
    at: datetime = _time()
    body: str = Field(sa_column=Column(Text, nullable=False))
    digest: str


class LedgerLeaf(SQLModel, table=True):
    """An entry's place in the Merkle tree; triggers refuse UPDATE and DELETE."""

    __tablename__ = "ledger_leaves"

    leaf_index: int = _big(primary_key=True, autoincrement=False)
    entry_id: int = _big(unique=True)
    digest: str


class Checkpoint(SQLModel, table=True):
    """A signed head of the tree; triggers refuse UPDATE and DELETE."""

    __tablename__ = "checkpoints"

    size: int = _big(primary_key=True, autoincrement=False)
    root: str  # hexadecimal
    frontier: list[str] = _json()  # roots of the perfect subtrees, left to right
    sealed_through: int = _big()  # no entry with this id or a smaller one is still to be sealed
    note: str = Field(sa_column=Column(Text, nullable=False))  # C2SP signed note
    signed_at: datetime = _time()
