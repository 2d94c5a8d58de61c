"""Holds: while one is active the machine closes no case in its scope; a person gets it.

A hold takes nothing from people: they decide the held case at its gate like any other. It says
nothing about cases that go to a person anyway.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from casework.cases import Route
from casework.policy.model import Bundle


class Scope(StrEnum):
    """What a hold is over."""

    SOURCE = "source"
    RULE = "rule"  # cases that this rule would close
    SUBJECT = "subject"
    CATEGORY = "category"  # cases that a rule of this category would close
    CASES = "cases"  # those attached to the incident


@dataclass(frozen=True, slots=True)
class Hold:
    """An active hold. ``value`` is empty for the cases of an incident, which are in ``cases``."""

    id: str
    incident_id: str
    scope: Scope
    value: str
    cases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Closing:
    """What a machine is about to close."""

    case_id: str
    source: str
    subject_id: str | None


class Holds:
    """The active holds, under one bundle; false where there are none.

    Cases with equal outcomes under the same hold share the outcome it makes.
    """

    def __init__(self, holds: Iterable[Hold], bundle: Bundle) -> None:
        self._holds = tuple(holds)
        self._default = bundle.default
        self._categories = {rule.id: rule.category for rule in bundle.rules}
        self._made: dict[tuple[int, str], tuple[Mapping[str, Any], Mapping[str, Any]]] = {}

    def __bool__(self) -> bool:
        return bool(self._holds)

    def over(self, outcome: Mapping[str, Any], closing: Closing) -> Hold | None:
        """The first of the holds that keeps a machine from closing this."""
        if outcome["route"] != Route.CLOSE:
            return None
        rule = outcome["rule_id"]
        facts = {
            Scope.SOURCE: closing.source,
            Scope.RULE: rule,
            Scope.SUBJECT: closing.subject_id,
            Scope.CATEGORY: self._categories.get(rule),
        }
        for hold in self._holds:
            if hold.scope is Scope.CASES:
                if closing.case_id in hold.cases:
                    return hold
            elif facts[hold.scope] == hold.value:
                return hold
        return None

    def outcome(self, outcome: Mapping[str, Any], closing: Closing) -> Mapping[str, Any]:
        """The outcome of a case: the one given, or the one that a hold makes of it."""
        hold = self.over(outcome, closing)
        if hold is None:
            return outcome
        key = (id(outcome), hold.id)
        if key not in self._made:
            # The first is kept too, so that its identity is nobody else's.
            self._made[key] = (outcome, self._held(outcome, hold))
        return self._made[key][1]

    def _held(self, outcome: Mapping[str, Any], hold: Hold) -> Mapping[str, Any]:
        """As a case that no rule decides; the rule that would have closed it stays named."""
        return {
            **outcome,
            "route": Route.REVIEW.value,
            "severity": str(self._default.severity),
            "queue": self._default.queue,
            "action": self._default.action,
            "reason": f"held by {hold.id} of incident {hold.incident_id}: {outcome['reason']}",
            "hold": hold.id,
            "kept_from": outcome["action"],
        }
