"""What a policy bundle declares, once it has linted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from casework.cases import Route, Severity
from casework.clocks.promises import DEFAULTS, Promises
from casework.effects import EffectKind
from casework.exposure import Budget
from casework.gates import Terms
from casework.playbooks import Playbook
from casework.qa.plans import TAXONOMY, ErrorClass, Plan
from casework.qa.rights import Threshold

SignalType: TypeAlias = Literal["boolean", "integer", "number", "text"]
DestinationType: TypeAlias = Literal[
    "log", "webhook", "pagerduty", "zendesk", "slack", "jira", "coop"
]


@dataclass(frozen=True, slots=True)
class Signal:
    """A named measurement that rules may read, and the provider that gives it."""

    id: str
    type: SignalType
    provider: str
    description: str


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of harm or request, with the policy text that clauses refer to."""

    id: str
    title: str
    description: str
    clauses: Mapping[str, str]  # clause id -> its text
    covered: bool = False  # whether content is covered on a screen until it is asked for


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; rules are tried in the order of the bundle, the strictest first."""

    id: str
    when: str  # SQL boolean expression over signals and case fields
    route: Route
    severity: Severity
    queue: str | None  # None only where the route is close
    action: str | None
    reason: str
    category: str | None = None
    playbook: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """Where cases wait for people, and on which terms they may answer."""

    id: str
    title: str
    roles: frozenset[str]
    approvals: int
    actions: tuple[str, ...]
    escalates_to: tuple[str, ...]
    partner: str | None = None  # Legal, Policy, Product, Engineering or Support
    escalation_target: str | None = None  # where a ladder moves what is not decided in time


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Something that can be done about a case."""

    id: str
    title: str
    approvals: int
    reversible: bool
    inverse: str | None = None
    macro: str | None = None
    to: tuple[str, ...] = ()  # the destinations that carry it out or are told
    lasts: timedelta | None = None  # after which it is undone by itself
    reopens: bool = False  # carrying it out sends the case back to people
    keeps: bool = False  # what was decided before about the same content stands beside it


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a destination is tried in all, and the shortest and longest wait between."""

    attempts: int = 12
    first_wait: timedelta = timedelta(seconds=10)
    longest_wait: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DestinationSpec:
    """A system that effects are sent to; its credentials are in the settings."""

    id: str
    type: DestinationType
    takes: frozenset[EffectKind]
    per_minute: int | None = None  # requests, over all senders; None: as many as there are
    at_once: int = 4  # requests of one sender
    retry: Retry = Retry()
    options: Mapping[str, Any] = field(default_factory=dict)  # what its type alone knows
    audiences: frozenset[str] = frozenset({"internal"})  # whose status updates it may be sent


@dataclass(frozen=True, slots=True)
class Default:
    """What happens to a case that no rule decides. Its route is review, never close."""

    queue: str
    severity: Severity
    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Regular expressions (Rust syntax, linear time) that make one boolean signal."""

    signal: str
    any_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedToKnow:
    """Cases of a queue, or of which a signal is true, are for named people alone."""

    queue: str | None
    signal: str | None
    people: tuple[str, ...]

    @property
    def because(self) -> str:
        """Why such a case is restricted, as the history says it."""
        return f"queue {self.queue}" if self.queue else f"signal {self.signal}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A versioned directory of policy, as it was read."""

    name: str
    version: str
    digest: str  # SHA-256 over the canonical map of path to text
    files: Mapping[str, str]
    signals: Mapping[str, Signal]
    categories: Mapping[str, Category]
    rules: tuple[Rule, ...]
    queues: Mapping[str, Queue]
    actions: Mapping[str, ActionSpec]
    patterns: tuple[Pattern, ...]
    playbooks: Mapping[str, str]
    macros: Mapping[str, str]
    default: Default
    #: Providers the bundle declares not in use: the absence of their signals is no unknown.
    unused_providers: frozenset[str] = frozenset()
    destinations: Mapping[str, DestinationSpec] = field(default_factory=dict)
    #: What macros may say beside what a case gives, the same for all cases.
    macro_fields: Mapping[str, str] = field(default_factory=dict)
    #: Who is told of partner tasks in incidents that are overdue: a destination; None: nobody.
    overdue_to: str | None = None
    #: How soon what is to be done, and what happens meanwhile.
    promises: Promises = DEFAULTS
    qa: Mapping[str, Plan] = field(default_factory=dict)
    taxonomy: Mapping[str, ErrorClass] = field(default_factory=lambda: TAXONOMY)
    #: Playbooks that ask questions, beside or instead of those that are read.
    trees: Mapping[str, Playbook] = field(default_factory=dict)
    #: Below which accuracy a lead is asked to pause somebody's rights.
    rights: Mapping[str, Threshold] = field(default_factory=dict)
    need_to_know: tuple[NeedToKnow, ...] = ()
    exposure: Budget = field(default_factory=Budget)

    def rule(self, rule_id: str | None) -> Rule | None:
        """A rule by its id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def marked(self, rule_id: str | None) -> str | None:
        """The category a rule names, if what is of it is covered at first."""
        rule = self.rule(rule_id)
        category = self.categories.get(rule.category) if rule and rule.category else None
        return category.id if category and category.covered else None

    def clauses(self, rule_id: str | None) -> dict[str, str]:
        """The clauses, each with its text, that an answer about a rule's case may rest on.

        Those of the rule's category; all, where it names none or no rule decided.
        """
        rule = self.rule(rule_id)
        named = [rule.category] if rule and rule.category else list(self.categories)
        return {id: text for name in named for id, text in self.categories[name].clauses.items()}

    def terms(self, queue_id: str, action: str | None, rule_id: str | None = None) -> Terms:
        """What the guard needs to know about answering in a queue with an action.

        Without a rule an answer may rest on any clause.
        """
        queue = self.queues[queue_id]
        specs = [self.actions[name] for name in queue.actions]
        return Terms(
            roles=queue.roles,
            actions=frozenset(queue.actions),
            escalations=frozenset(queue.escalates_to),
            approvals=self.approvals(queue_id, action),
            needs_two=queue.approvals > 1 or any(spec.approvals > 1 for spec in specs),
            macros=frozenset(spec.id for spec in specs if spec.macro),
            clauses=frozenset(self.clauses(rule_id)),
        )

    def approvals(self, queue_id: str, action: str | None) -> int:
        """How many people must approve an action in a queue."""
        chosen = self.actions.get(action) if action else None
        return max(self.queues[queue_id].approvals, chosen.approvals if chosen else 1)
