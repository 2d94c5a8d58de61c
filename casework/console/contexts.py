"""What each page shows, as a type of its own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from casework.console.day import Seen
from casework.exposure import Day
from casework.ledger.verify import Report
from casework.policy.explain import RuleResult
from casework.policy.model import Queue
from casework.store.desk import Waiting
from casework.store.playbooks import Followed
from casework.store.tables import (
    Assignment,
    Case,
    Clock,
    Decision,
    Gate,
    LedgerEntry,
    PlaybookAnswer,
    Preference,
    QaGate,
    SignalReading,
    Token,
)
from casework.store.texts import Foreseen
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
    entry: int = 0  # the newest of the history, as it is shown


@dataclass(frozen=True, slots=True)
class DayPage:
    """What somebody has done today, and how marked evidence is shown to them."""

    day: Day
    seen: Seen
    titles: Mapping[str, str]  # of categories
    preference: Preference


@dataclass(frozen=True, slots=True)
class Pause:
    """A suggestion to pause, and what goes on all the same."""

    used: str
    onward: str  # where the form goes that goes on


@dataclass(frozen=True, slots=True)
class GivingTicked:
    """To whom rows of a list may be given, and what became of those that were just given."""

    people: Sequence[tuple[str, str]] = ()  # id, name; only a lead is shown them
    told: str = ""
    refusals: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of a queue's gates."""

    queue: str
    title: str
    rows: Sequence[Listed]
    next_page: str  # empty where this is the last one
    giving: GivingTicked
    entry: int = 0  # the newest of the history, as it is shown
    masked: Collection[str] = ()  # cases whose outcomes the viewer must not see yet


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
class Preview:
    """What an answer would send, were it given now."""

    verdict: str
    approvals: int  # people who must have approved the same before it does
    foreseen: Foreseen


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
class Decided:
    """What was decided about a case before, and what was asked."""

    decision: Decision
    what: str  # the action or where it was escalated to, as the policy calls it; may be empty
    asked: str  # why a person was asked; empty where a machine decided


@dataclass(frozen=True, slots=True)
class Undoing:
    """What was done about a closed case and can be undone."""

    title: str
    inverse: str  # the action that undoes it
    approvals: int  # people that takes


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case, as somebody works on it."""

    case: Case
    gate: Gate | None  # the open one
    queue: Queue | None
    covered: bool  # its content is of a marked category, and has not been asked for
    entry: int  # the newest of the history, as it is shown
    veil: str  # classes under which marked content is shown, as the viewer prefers
    content: Mapping[str, Any]
    readings: Sequence[SignalReading]
    guidance: Guidance
    past: Sequence[Case]
    masked: Collection[str]  # of those, whose action is kept from the viewer
    timeline: Sequence[Mapping[str, Any]]  # acts
    clocks: Sequence[Clock]  # that go on at the open gate
    claim: Claim | None  # none where the viewer does not answer
    form: Form | None
    run_page: str
    prefect_answers: bool
    decided: Gate | None  # decided, and not carried out yet
    let_in: Sequence[str] | None = None  # who alone may know of it; None: it is not restricted
    followed: Followed | None = None  # the playbook's questions at the open gate
    gives: bool = False  # whether the viewer may give the gate to somebody
    before: Sequence[Decided] = ()  # oldest first; what is answered at the open gate is in its form
    undoing: Undoing | None = None


@dataclass(frozen=True, slots=True)
class Giving:
    """Whom a gate may be given to."""

    case: Case
    gate: Gate
    people: Sequence[tuple[str, str]]  # id, name


@dataclass(frozen=True, slots=True)
class Restricting:
    """Who may be let into a restricted case, and who is."""

    case: Case
    people: Sequence[tuple[str, str]]  # id, name
    let_in: Sequence[str] | None  # None: it is not restricted


@dataclass(frozen=True, slots=True)
class Story:
    """A case from its arrival to its end, act by act."""

    case: Case
    decisions: Sequence[Decision]
    gates: Sequence[Gate]
    playbook: Sequence[PlaybookAnswer]
    acts: Sequence[Mapping[str, Any]]  # with the digests of their entries
    printed_at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """A decision that is looked at again: its evidence, and what may be answered."""

    gate: QaGate
    evidence: str
    covered: bool  # the content is left out, and the form: it is of a marked category
    content: Mapping[str, Any]
    veil: str
    readings: Sequence[SignalReading]
    decisions: Sequence[Mapping[str, Any]]  # without names; an adjudicator alone sees them
    actions: Sequence[tuple[str, str]] = ()  # id, title
    escalations: Sequence[tuple[str, str]] = ()
    clauses: Sequence[tuple[str, str]] = ()  # id, text
    errors: Sequence[str] = ()  # classes to choose from; an adjudicator alone names one
    refusal: str = ""
    given: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TokensPage:
    """Tokens that are in force, and the form for another; the secret of one made just now."""

    rows: Sequence[Token]
    scopes: Sequence[str]
    days: int  # that a token lasts unless somebody says otherwise
    most_days: int
    longest_name: int
    secret: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries of the history that were looked for, the newest first."""

    asked: Mapping[str, str]
    found: Listing[LedgerEntry]
    actions: Sequence[str]
    report: Report | None = None  # of a verification, where one was asked for
