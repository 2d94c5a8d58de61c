"""What each page shows, as a type of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.policy.explain import RuleResult
from casework.policy.model import Queue
from casework.store.desk import Waiting
from casework.store.tables import Case, Decision, Gate, LedgerEntry, SignalReading


@dataclass(frozen=True, slots=True)
class Desk:
    """Home: what waits in the viewer's queues."""

    waiting: Sequence[Waiting]
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of a queue's gates."""

    queue: str
    title: str
    rows: Sequence[Mapping[str, Any]]
    next_page: str  # empty where this is the last one


@dataclass(frozen=True, slots=True)
class Form:
    """What may be answered at a gate, and what is still missing there."""

    gate: Gate
    actions: Sequence[tuple[str, str, bool]]  # id, title, whether it can be undone
    escalations: Sequence[tuple[str, str]]  # id, title
    clauses: Sequence[tuple[str, str]]  # id, text
    answers: Sequence[Decision]
    approvals: int  # people needed for the proposed action
    refusal: str = ""  # why the viewer's last answer was not taken
    given: Mapping[str, str] | None = None  # what they had filled in


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case, as somebody works on it."""

    case: Case
    gate: Gate | None  # the open one
    queue: Queue | None
    covered: bool  # its content is of a marked category, and has not been asked for
    content: Mapping[str, Any]
    readings: Sequence[SignalReading]
    rules: Sequence[RuleResult]
    reason: str
    category: str
    playbook: str
    macros: Sequence[tuple[str, str]]  # name, text
    past: Sequence[Case]
    timeline: Sequence[LedgerEntry]
    form: Form | None
    run_page: str
    policy_digest: str


@dataclass(frozen=True, slots=True)
class Story:
    """A case from its arrival to its end, entry by entry."""

    case: Case
    decisions: Sequence[Decision]
    gates: Sequence[Gate]
    entries: Sequence[Mapping[str, Any]]
    printed_at: datetime
