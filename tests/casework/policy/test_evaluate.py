"""Deciding cases: three-valued logic against a plain evaluator, and the closing invariant."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.cases import Route
from casework.policy.evaluate import OUTCOME, cleaned, decide, evaluate, frame
from casework.policy.explain import explain
from casework.policy.model import Bundle
from casework.policy.program import compile_bundle, truths
from tests.factories.bundles import bundle_of_flags, bundle_of_rules, rows_of
from tests.factories.conditions import (
    COLUMNS,
    Node,
    bounds,
    comparisons,
    conditions,
    flags,
    likes,
    memberships,
    rows,
)

ROUTED = st.tuples(conditions(), st.sampled_from(list(Route)))


def decided(bundle: Bundle, **row: Any) -> dict[str, Any]:
    return evaluate(bundle, frame(bundle, rows_of([row]))).row(0, named=True)


@settings(deadline=None, max_examples=60)
@given(conditions(), st.lists(rows(), min_size=1, max_size=8))
def test_a_condition_is_true_false_or_unknown_as_in_a_plain_evaluator(
    condition: Node, some: list[dict[str, Any]]
) -> None:
    bundle = bundle_of_rules((condition.sql, Route.REVIEW))
    program = compile_bundle(bundle)
    truth = truths(program, cleaned(frame(bundle, rows_of(some)), program))["r0"].to_list()
    assert truth == [condition.truth(row) for row in some]


@given(comparisons() | memberships() | bounds() | likes() | flags())
def test_the_plain_evaluator_knows_every_column_that_a_condition_reads(condition: Node) -> None:
    assert condition.reads == {name for name in COLUMNS if name in condition.sql}


def expected(rules: list[tuple[Node, Route]], row: dict[str, Any]) -> tuple[str, str | None]:
    """What should be decided: route and rule, from the rules' truth alone."""
    undecided: int | None = None
    for number, (node, route) in enumerate(rules):
        truth = node.truth(row)
        if truth:
            if route is Route.CLOSE and undecided is not None:
                return Route.REVIEW, f"r{undecided}"
            return route, f"r{number}"
        missed = any(row[name] is None for name in node.reads if not name.endswith("2"))
        if truth is None and missed and route is not Route.CLOSE and undecided is None:
            undecided = number
    return Route.REVIEW, None


@settings(deadline=None, max_examples=60)
@given(st.lists(ROUTED, min_size=1, max_size=5), st.lists(rows(), min_size=1, max_size=6))
def test_the_first_true_rule_decides_unless_it_closes_over_an_undecided_one(
    rules: list[tuple[Node, Route]], some: list[dict[str, Any]]
) -> None:
    bundle = bundle_of_rules(*((node.sql, route) for node, route in rules))
    outcome = evaluate(bundle, frame(bundle, rows_of(some)))
    found = list(zip(outcome["route"], outcome["rule_id"], strict=True))
    assert found == [expected(rules, row) for row in some]


@settings(deadline=None, max_examples=60)
@given(st.lists(ROUTED, min_size=1, max_size=5), st.lists(rows(), min_size=1, max_size=6))
def test_a_machine_closes_only_where_knowing_more_could_not_make_a_stricter_rule_true(
    rules: list[tuple[Node, Route]], some: list[dict[str, Any]]
) -> None:
    """Fill in what was unknown, of providers in use, in some way: the closing stays right."""
    bundle = bundle_of_rules(*((node.sql, route) for node, route in rules))
    outcome = evaluate(bundle, frame(bundle, rows_of(some)))
    fill = {"boolean": True, "integer": 1, "number": 0.5, "text": "ab"}
    for row, route, rule in zip(some, outcome["route"], outcome["rule_id"], strict=True):
        if route != Route.CLOSE:
            continue
        before = [node for node, kind in rules[: int(rule[1:])] if kind is not Route.CLOSE]
        read = {name for node in before for name in _null_aware(node)}
        full = {
            name: fill[COLUMNS[name]]
            if value is None and not name.endswith("2") and name not in read
            else value
            for name, value in row.items()
        }
        assert all(not node.truth(full) for node in before)


def _null_aware(node: Node) -> set[str]:
    """Columns whose being unknown the author has given a meaning, which more knowledge changes."""
    return {n for n in COLUMNS if f"{n} IS" in node.sql or f"COALESCE({n}" in node.sql}


@settings(deadline=None, max_examples=60)
@given(st.lists(ROUTED, min_size=1, max_size=4), st.lists(rows(), min_size=1, max_size=6))
def test_deciding_row_by_row_gives_the_same_outcomes(
    rules: list[tuple[Node, Route]], some: list[dict[str, Any]]
) -> None:
    bundle = bundle_of_rules(*((node.sql, route) for node, route in rules))
    laid_out = frame(bundle, rows_of(some))
    whole = evaluate(bundle, laid_out).drop("case_id").rows(named=True)
    assert decide(bundle, laid_out) == whole
    assert [decide(bundle, laid_out[i : i + 1])[0] for i in range(len(some))] == whole


@given(st.lists(ROUTED, min_size=1, max_size=5), st.lists(rows(), min_size=1, max_size=6))
def test_the_rule_that_is_explained_as_decisive_is_the_one_that_decided(
    rules: list[tuple[Node, Route]], some: list[dict[str, Any]]
) -> None:
    bundle = bundle_of_rules(*((node.sql, route) for node, route in rules))
    cases = rows_of(some)
    explained = [
        next((each.rule_id for each in explain(bundle, case) if each.decisive), None)
        for case in cases
    ]
    assert explained == [made["rule_id"] for made in decide(bundle, frame(bundle, cases))]


def test_an_unknown_signal_of_a_stricter_rule_sends_a_case_to_that_rules_queue() -> None:
    bundle = bundle_of_rules(("b1", Route.ESCALATE), ("b3", Route.CLOSE))
    assert decided(bundle, b1=False, b3=True)["route"] == "close"
    outcome = decided(bundle, b3=True)
    assert outcome == {
        "case_id": "c0",
        "route": "review",
        "severity": "P0",
        "queue": "mixed",
        "action": "no_action",
        "rule_id": "r0",
        "reason": "undecided, for want of b1: Rule 0.",
        "unknown": ["b1"],
    }


def test_a_signal_of_a_provider_not_in_use_is_not_waited_for_but_still_counts_when_true() -> None:
    bundle = bundle_of_rules(("b2 OR b1", Route.ESCALATE), ("b3", Route.CLOSE))
    assert decided(bundle, b1=False, b3=True)["route"] == "close"
    assert decided(bundle, b1=None, b3=True)["route"] == "review"
    assert decided(bundle, b1=True, b3=True)["route"] == "escalate"
    assert decided(bundle, b1=False, b2=True, b3=True)["route"] == "escalate"


def test_a_case_no_rule_decides_goes_to_the_default_with_its_unknown_signals() -> None:
    bundle = bundle_of_rules(("b1", Route.REVIEW), ("b3", Route.CLOSE))
    outcome = decided(bundle, b1=None, b3=False)
    assert (outcome["route"], outcome["queue"], outcome["rule_id"]) == ("review", "general", None)
    assert outcome["unknown"] == ["b1"]


@pytest.mark.parametrize(
    "row",
    [
        {"n1": float("nan")},
        {"n1": float("inf")},
        {"n1": "5"},
        {"n1": True},
        {"n1": 2**60},
        {"i1": 1.5},
        {"i1": True},
        {"i1": 2**53 + 1},
        {"b1": 1},
        {"b1": "true"},
        {"t1": 5},
    ],
)
def test_a_value_of_another_type_or_not_exact_is_unknown(row: dict[str, Any]) -> None:
    [name] = row
    fine = {"n1": 0.5, "i1": 1, "b1": False, "t1": "x"}
    condition = {"b1": "b1"}.get(name, f"{name} = 'q'" if name == "t1" else f"{name} > 9")
    bundle = bundle_of_rules((condition, Route.REVIEW), ("b3", Route.CLOSE))
    assert decided(bundle, b3=True, **{name: fine[name]})["route"] == "close"
    assert decided(bundle, b3=True, **row)["unknown"] == [name]


def test_a_frame_made_elsewhere_is_held_to_the_same_types() -> None:
    bundle = bundle_of_rules(("n1 > 9", Route.REVIEW), ("i1 > 9", Route.REVIEW))
    made = pl.DataFrame({"case_id": ["a", "b"], "n1": [float("nan"), 1e301], "i1": ["x", "y"]})
    outcome = evaluate(bundle, made)
    assert outcome["unknown"].to_list() == [["n1", "i1"]] * 2


def test_more_columns_than_a_mask_has_bits_are_all_named_when_unknown() -> None:
    names = [f"s{number}" for number in range(150)]
    bundle = bundle_of_flags(names)
    outcome = evaluate(bundle, frame(bundle, [{"case_id": "c"}]))
    assert outcome["unknown"].to_list() == [names]


def test_a_constant_rule_decides_every_case() -> None:
    bundle = bundle_of_rules(("1 = 0", Route.ESCALATE), ("TRUE", Route.CLOSE))
    outcome = evaluate(bundle, frame(bundle, rows_of([{}, {}])))
    assert outcome["route"].to_list() == ["close", "close"]


def test_no_cases_give_an_empty_frame_of_the_same_shape() -> None:
    bundle = bundle_of_rules(("b1", Route.REVIEW))
    assert evaluate(bundle, frame(bundle, [])).schema == pl.Schema(OUTCOME)
    assert decide(bundle, frame(bundle, [])) == []
