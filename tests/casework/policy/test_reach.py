"""Rules that nothing is left for, beside every case there could be, tried in plain Python."""

import random
from collections.abc import Iterator
from functools import reduce
from itertools import count, product
from typing import Any

import pytest

from casework.cases import Route
from casework.policy.bundle import checked_draft, column_types
from casework.policy.reach import check_reach
from tests.factories.bundles import PROVIDERS, bundle_files, rule_yaml
from tests.factories.conditions import Node, both, either, negated

#: Every value that tells literals from -1 to 1 and two texts apart, and none.
DOMAIN: dict[str, list[Any]] = {
    "b1": [True, False, None],
    "b2": [True, False, None],  # of a provider that is not in use
    "i1": [-2, -1, 0, 1, 2, None],
    "n1": [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, None],
    "t1": ["a", "b", "another", None],
}
IDLE = {"b2"}
CASES = [dict(zip(DOMAIN, values, strict=True)) for values in product(*DOMAIN.values())]


def leaf(chance: random.Random) -> Node:
    """One comparison, with what it is worth by the rules of SQL."""
    name = chance.choice(list(DOMAIN))
    negate = chance.random() < 0.3
    if chance.random() < 0.2:
        return Node(
            f"{name} IS {'NOT ' if negate else ''}NULL", lambda row: (row[name] is None) != negate
        )
    read = frozenset({name})
    if name[0] == "b":
        return Node(name, lambda row: row[name], read)
    if name == "t1":
        text = chance.choice("ab")
        return Node(
            f"t1 {'<>' if negate else '='} '{text}'",
            lambda row: None if row["t1"] is None else (row["t1"] == text) != negate,
            read,
        )
    bound = chance.choice([-1, 0, 1])
    return Node(
        f"{name} {'<' if negate else '>='} {bound}",
        lambda row: None if row[name] is None else (row[name] >= bound) != negate,
        read,
    )


def condition(chance: random.Random) -> Node:
    """One to three comparisons, joined."""

    def join(a: Node, b: Node) -> Node:
        word, worth = chance.choice([("AND", both), ("OR", either)])
        return Node(
            f"({a.sql}) {word} ({b.sql})",
            lambda row: worth(a.truth(row), b.truth(row)),
            a.reads | b.reads,
        )

    made = reduce(join, [leaf(chance) for _ in range(chance.choice([1, 1, 2, 3]))])
    if chance.random() < 0.15:
        return Node(f"NOT ({made.sql})", lambda row: negated(made.truth(row)), made.reads)
    return made


def undecided(rule: tuple[Node, Route], row: dict[str, Any]) -> bool:
    """Whether a rule sends a case to its queue for want of something that is asked for."""
    node, route = rule
    missing = any(row[name] is None for name in node.reads - IDLE)
    return route is not Route.CLOSE and node.truth(row) is None and missing


def taken(rules: list[tuple[Node, Route]]) -> Iterator[int]:
    """For each case the rule that is first true, and the one first in doubt before it."""
    for row in CASES:
        first = next((i for i, rule in enumerate(rules) if rule[0].truth(row)), len(rules))
        doubt = next((i for i, rule in enumerate(rules[:first]) if undecided(rule, row)), None)
        yield first
        if doubt is not None:
            yield doubt


def faults(*rules: tuple[str, Route]) -> list[str]:
    """What is said of rules ``r0``, ``r1`` and so on."""
    draft = checked_draft(bundle_files("".join(map(rule_yaml, count(), rules))))
    check_reach(draft, column_types(draft))
    return [fault.message for fault in draft.faults]


def test_what_is_reported_takes_no_case_and_what_takes_none_is_reported() -> None:
    assert PROVIDERS["moderation"] == "not_in_use", "b2 is the provider's"
    chance = random.Random(20261125)
    together = compared = 0
    for _ in range(80):
        routes = [chance.choice([Route.REVIEW, Route.CLOSE]) for _ in range(6)]
        rules = [(condition(chance), route) for route in routes]
        found = faults(*((node.sql, route) for node, route in rules))
        if any("never be true" in message for message in found):
            continue
        said = {message.split("`")[1] for message in found}
        dead = {f"r{i}" for i in set(range(len(rules))) - set(taken(rules))}
        assert said <= dead, rules
        if not any(node.reads & IDLE for node, _ in rules):
            # Of what nobody looks at, the check need not see all.
            compared += 1
            assert said == dead, rules
        together += sum("together" in message for message in found)
    assert together > 5
    assert compared > 10


@pytest.mark.parametrize(
    ("earlier", "later", "names"),
    [
        (["n1 >= 0.5", "n1 < 0.5 OR n1 IS NULL"], "b1", "`r0`, `r1`"),
        (["t1 = 'a'", "t1 = 'b'", "b1"], "t1 IN ('a', 'b')", "`r0`, `r1`"),
        (["b3", "b1 AND n1 > 0", "b1 AND (n1 <= 0 OR n1 IS NULL)"], "b1", "`r1`, `r2`"),
        (["t1 LIKE 'x%'", "b1 AND NOT t1 LIKE 'x%'", "t1 IS NULL"], "b1 AND b3", None),
    ],
)
def test_several_rules_that_precede_another_together_are_named(
    earlier: list[str], later: str, names: str | None
) -> None:
    found = faults(*((each, Route.REVIEW) for each in [*earlier, later]))
    wanted = f"rule `r{len(earlier)}` can never decide: {names} together come first"
    assert found == ([wanted] if names else [])


def test_a_rule_whose_doubt_sends_a_case_to_a_person_is_let_pass() -> None:
    guard, closing = ("b1", Route.REVIEW), ("t1 = 'a'", Route.CLOSE)
    found = faults(("COALESCE(b1, FALSE)", Route.REVIEW), guard, closing)
    assert found == [], "where b1 is unknown, r1 keeps r2 from closing"
    [message] = faults(("COALESCE(b1, FALSE)", Route.REVIEW), ("b1", Route.CLOSE))
    assert message.startswith("rule `r1` can never decide")
