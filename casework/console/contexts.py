"""What each page shows, as a type of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from markupsafe import Markup

from casework.incidents.story import Story as IncidentStory
from casework.ledger.verify import Report
from casework.policy.explain import RuleResult
from casework.policy.faults import Fault
from casework.policy.model import Bundle, Queue
from casework.store.desk import Waiting
from casework.store.tables import (
    Assignment,
    Case,
    Clock,
    Decision,
    Gate,
    LedgerEntry,
    QaGate,
    SignalReading,
)
from casework.store.worklist import Listed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page of a list."""

    rows: Sequence[T]
    next_page: str  # empty where this is the last one


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
    rows: Sequence[Listed]
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
class Claim:
    """Who has a gate, and what the viewer may do about it; the guard has the last word."""

    kept: Assignment
    holder: str | None  # who has it now
    is_mine: bool
    leads: bool  # whether the viewer may take it from another
    reasons: Sequence[str]  # for which it may be put on hold
    partners: Sequence[tuple[str, str]]  # id, title of the queues it may be handed over to
    renew_seconds: int

    @property
    def may_answer(self) -> bool:
        """Whether the viewer is asked: nobody else has it, or they lead."""
        return self.leads or not self.is_anothers

    @property
    def is_anothers(self) -> bool:
        """Whether somebody else has it."""
        return self.holder is not None and not self.is_mine


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the policy says about a case, and to whoever works on it."""

    reason: str
    category: str
    playbook: str
    macros: Sequence[tuple[str, str]]  # name, text
    rules: Sequence[RuleResult]
    digest: str


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case, as somebody works on it."""

    case: Case
    gate: Gate | None  # the open one
    queue: Queue | None
    covered: bool  # its content is of a marked category, and has not been asked for
    content: Mapping[str, Any]
    readings: Sequence[SignalReading]
    guidance: Guidance
    past: Sequence[Case]
    timeline: Sequence[LedgerEntry]
    clocks: Sequence[Clock]  # that go on at the open gate
    claim: Claim | None  # none where the viewer does not answer
    form: Form | None
    run_page: str


@dataclass(frozen=True, slots=True)
class Story:
    """A case from its arrival to its end, entry by entry."""

    case: Case
    decisions: Sequence[Decision]
    gates: Sequence[Gate]
    entries: Sequence[Mapping[str, Any]]
    printed_at: datetime


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident: who does what, what is owed, and what happened, as sentences."""

    story: IncidentStory
    told: Sequence[tuple[datetime, str, str, str]]  # when, who, which case, what
    report: str  # Markdown


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """The policy in force: its rules in order, how many cases each decided, and its faults now."""

    bundle: Bundle
    cases: Mapping[str | None, int]  # by the rule that decided; None where none did
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class HealthPage:
    """How the work goes, part by part; ``made_at`` is None where nothing was looked at yet."""

    made_at: datetime | None
    sections: Sequence[tuple[str, str, Markup]]  # title, chart or empty, text


@dataclass(frozen=True, slots=True)
class Review:
    """A decision that is looked at again: its evidence, and what may be answered."""

    gate: QaGate
    evidence: str
    content: Mapping[str, Any]
    readings: Sequence[SignalReading]
    actions: Sequence[tuple[str, str]]  # id, title
    escalations: Sequence[tuple[str, str]]
    clauses: Sequence[tuple[str, str]]  # id, text
    errors: Sequence[str]  # classes to choose from; an adjudicator alone names one
    decisions: Sequence[Mapping[str, Any]]  # without names; an adjudicator alone sees them
    refusal: str = ""
    given: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries of the history that were looked for, the newest first."""

    asked: Mapping[str, str]
    found: Listing[LedgerEntry]
    actions: Sequence[str]
    report: Report | None = None  # of a verification, where one was asked for
