"""What each file of a bundle may hold, as pydantic models. References are checked elsewhere."""

from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args, get_origin

from pydantic import BaseModel, Field, StringConstraints

from casework.cases import Route, Severity
from casework.gates import Role
from casework.policy.clock_entries import CalendarEntry, ClockEntry, LadderEntry
from casework.policy.effect_entries import DestinationEntry, Lasting
from casework.policy.entry import Entry, Id, Prose
from casework.policy.model import SignalType
from casework.qa.plans import ErrorClass, Plan

PARTNERS: Final = ("Legal", "Policy", "Product", "Engineering", "Support")
Partner: TypeAlias = Literal["Legal", "Policy", "Product", "Engineering", "Support"]


class DefaultEntry(Entry):
    """bundle.yaml, ``default``: a case that no rule decides."""

    queue: str
    severity: Severity
    action: str
    reason: Prose


class IncidentsEntry(Entry):
    """bundle.yaml, ``incidents``: what is told of them without being asked for."""

    notify: str | None = None  # the destination that is told of overdue partner tasks


class BundleEntry(Entry):
    """bundle.yaml."""

    name: Id
    version: Prose
    providers: dict[Id, Literal["in_use", "not_in_use"]]
    default: DefaultEntry
    macro_fields: dict[Id, Prose] = Field(default_factory=dict)
    incidents: IncidentsEntry = Field(default_factory=IncidentsEntry)


class SignalEntry(Entry):
    """signals.yaml, by signal."""

    type: SignalType
    provider: str
    description: Prose


class CategoryEntry(Entry):
    """categories.yaml, by category."""

    title: Prose
    description: Prose
    covered: bool = Field(False, strict=True)
    clauses: dict[Annotated[str, StringConstraints(min_length=1)], Prose] = Field(min_length=1)


class RuleEntry(Entry):
    """rules.yaml, in order."""

    id: Id
    when: Prose
    route: Route
    severity: Severity
    queue: str | None = None
    action: str | None = None
    reason: Prose
    category: str | None = None
    playbook: str | None = None


class QueueEntry(Entry):
    """queues.yaml, by queue."""

    title: Prose
    roles: frozenset[Role] = Field(min_length=1)
    approvals: int = Field(1, ge=1, le=5, strict=True)
    actions: tuple[str, ...] = Field(min_length=1)
    escalates_to: tuple[str, ...] = ()
    escalation_target: str | None = None
    partner: Partner | None = None


class ActionEntry(Entry):
    """actions.yaml, by action."""

    title: Prose
    approvals: int = Field(1, ge=1, le=5, strict=True)
    reversible: bool = Field(strict=True)
    inverse: str | None = None
    macro: str | None = None
    to: tuple[str, ...] = ()
    lasts: Lasting | None = None
    reopens: bool = Field(False, strict=True)


class PatternEntry(Entry):
    """patterns.yaml, by signal."""

    any_of: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(min_length=1)


#: What is in which file, and the model of one entry.
SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "signals": SignalEntry,
    "categories": CategoryEntry,
    "rules": RuleEntry,
    "queues": QueueEntry,
    "actions": ActionEntry,
    "patterns": PatternEntry,
    "destinations": DestinationEntry,
    "calendars": CalendarEntry,
    "clocks": ClockEntry,
    "ladders": LadderEntry,
    "qa": Plan,
    "taxonomy": ErrorClass,
}

#: Files a bundle may do without: what they say was not always said.
OPTIONAL: Final = frozenset({"destinations", "calendars", "clocks", "ladders", "qa", "taxonomy"})


def keys_of(model: type[BaseModel]) -> set[str]:
    """The keys an entry may have."""
    return set(model.model_fields)


def nested_model(model: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model in force below a path, as far as it is one."""
    kind: Any = model
    for step in path:
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
            continue
        info = kind.model_fields.get(str(step)) if _is_model(kind) else None
        kind = info.annotation if info else None
        if get_origin(kind) is UnionType:
            kind = next(iter(get_args(kind)))
    return kind if _is_model(kind) else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
