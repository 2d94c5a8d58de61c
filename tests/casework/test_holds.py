"""Holds: what the machine would close in their scope goes to a person; nothing else changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.cases import Route
from casework.holds import Closing, Hold, Holds, Scope
from casework.policy.bundle import bundle_from_files
from tests.factories.policy import FILES

RULES = FILES["rules.yaml"].replace("reason: Spam.", "reason: Spam., category: conduct")
BUNDLE = bundle_from_files({**FILES, "rules.yaml": RULES})
CASE = Closing("c1", "desk", "s1")
CLOSE = {
    "route": "close",
    "severity": "P4",
    "queue": None,
    "action": "no_action",
    "rule_id": "spam",
    "reason": "Spam.",
    "unknown": [],
}
OVER = {
    Scope.SOURCE: "desk",
    Scope.RULE: "spam",
    Scope.SUBJECT: "s1",
    Scope.CATEGORY: "conduct",
    Scope.CASES: "",
}


def holds(scope: Scope, value: str, cases: frozenset[str] = frozenset({"c1"})) -> Holds:
    return Holds([Hold("inc1-h1", "inc1", scope, value, cases)], BUNDLE)


@pytest.mark.parametrize(("scope", "value"), OVER.items())
def test_what_is_in_scope_goes_to_a_person_who_reads_why(scope: Scope, value: str) -> None:
    held = holds(scope, value).outcome(CLOSE, CASE)
    default = BUNDLE.default
    assert (held["route"], held["queue"]) == ("review", default.queue)
    assert (held["severity"], held["action"]) == (default.severity, default.action)
    assert held["reason"] == "held by inc1-h1 of incident inc1: Spam."
    assert (held["rule_id"], held["hold"]) == ("spam", "inc1-h1")
    assert held["kept_from"] == "no_action"


@pytest.mark.parametrize("scope", sorted(set(Scope) - {Scope.CASES}))
def test_what_is_out_of_scope_is_left_alone(scope: Scope) -> None:
    assert holds(scope, "other").outcome(CLOSE, CASE) is CLOSE


def test_a_hold_over_cases_is_over_no_others() -> None:
    assert holds(Scope.CASES, "", frozenset({"c2"})).outcome(CLOSE, CASE) is CLOSE


@given(st.sampled_from([Route.REVIEW, Route.ESCALATE]), st.sampled_from(list(Scope)))
def test_what_goes_to_a_person_anyway_is_left_alone(route: Route, scope: Scope) -> None:
    outcome: dict[str, Any] = {**CLOSE, "route": route.value}
    assert holds(scope, OVER[scope]).outcome(outcome, CASE) is outcome


def test_the_hold_placed_first_is_named() -> None:
    both = [Hold(f"inc1-h{n}", "inc1", Scope.RULE, "spam") for n in (1, 2)]
    assert Holds(both, BUNDLE).outcome(CLOSE, CASE)["hold"] == "inc1-h1"


def test_equal_outcomes_stay_one_object_and_no_holds_are_false() -> None:
    active = holds(Scope.RULE, "spam")
    assert active.outcome(CLOSE, CASE) is active.outcome(CLOSE, Closing("c2", "desk", None))
    assert active
    assert not Holds([], BUNDLE)
