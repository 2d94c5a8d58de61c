"""Conditions as trees, with their SQL and a three-valued evaluator of their own in plain Python.

The evaluator follows the SQL standard's truth tables and shares nothing with Casework or Polars.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

#: Columns of the tables below, with their type.
COLUMNS = {
    "b1": "boolean",
    "b2": "boolean",
    "b3": "boolean",
    "i1": "integer",
    "i2": "integer",
    "n1": "number",
    "n2": "number",
    "t1": "text",
    "t2": "text",
}

Truth = bool | None
Row = Mapping[str, Any]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Node:
    """A condition: its SQL and what it is worth for a row."""

    sql: str
    truth: Callable[[Row], Truth]
    reads: frozenset[str] = frozenset()  # columns whose absence can leave it unknown

    def __repr__(self) -> str:
        return self.sql


def both(a: Truth, b: Truth) -> Truth:
    """AND of Kleene's logic."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def either(a: Truth, b: Truth) -> Truth:
    """OR of Kleene's logic."""
    return negated(both(negated(a), negated(b)))


def negated(a: Truth) -> Truth:
    """NOT of Kleene's logic."""
    return None if a is None else not a


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


_NUMBERS = st.integers(-3, 3) | st.sampled_from([-1.5, -0.5, 0.25, 0.5, 2.5])
_TEXTS = st.sampled_from(["", "a", "ab", "b", "A", "a%", "x'y", "ä", "a\nb"])
_LIKES = st.sampled_from(["a%", "%b", "_", "a_", "%", "", "x'y", "%a%"])


def _of(kind: str) -> st.SearchStrategy[Any]:
    return _TEXTS if kind == "text" else st.booleans() if kind == "boolean" else _NUMBERS


def _names(*kinds: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name for name, kind in COLUMNS.items() if kind in kinds])


@st.composite
def comparisons(draw: st.DrawFn) -> Node:
    """A column compared with a literal or with another column of its kind."""
    name = draw(_names("integer", "number", "text", "boolean"))
    kind = COLUMNS[name]
    symbol = draw(st.sampled_from(["=", "<>"] if kind == "boolean" else list(_OPERATORS)))
    compared = _OPERATORS[symbol]
    if draw(st.booleans()):
        like = ("integer", "number") if kind in ("integer", "number") else (kind,)
        other = draw(_names(*like))
        return Node(
            f"{name} {symbol} {other}",
            lambda row: (
                None if row[name] is None or row[other] is None else compared(row[name], row[other])
            ),
            frozenset({name, other}),
        )
    value = draw(_of(kind))
    return Node(
        f"{name} {symbol} {_literal(value)}",
        lambda row: None if row[name] is None else compared(row[name], value),
        frozenset({name}),
    )


@st.composite
def memberships(draw: st.DrawFn) -> Node:
    """IN, NOT IN, BETWEEN and NOT BETWEEN."""
    name = draw(_names("integer", "number", "text"))
    negate = draw(st.booleans())
    word = "NOT " if negate else ""
    if COLUMNS[name] == "text" or draw(st.booleans()):
        values = draw(st.lists(_of(COLUMNS[name]), min_size=1, max_size=3))
        shown = ", ".join(map(_literal, values))
        sql, test = f"{name} {word}IN ({shown})", lambda value: value in values
    else:
        low, high = draw(_NUMBERS), draw(_NUMBERS)
        sql = f"{name} {word}BETWEEN {low!r} AND {high!r}"
        test = lambda value: low <= value <= high  # noqa: E731  # two tests, one use
    return Node(
        sql,
        lambda row: None if row[name] is None else test(row[name]) != negate,
        frozenset({name}),
    )


@st.composite
def bounds(draw: st.DrawFn) -> Node:
    """BETWEEN whose upper bound is a column: false below the lower one, even if that is unknown."""
    name, high = draw(_names("integer")), draw(_names("integer", "number"))
    low = draw(st.integers(-3, 3))

    def truth(row: Row) -> Truth:
        value, top = row[name], row[high]
        above = None if value is None else value >= low
        below = None if value is None or top is None else value <= top
        return both(above, below)

    return Node(f"{name} BETWEEN {low} AND {high}", truth, frozenset({name, high}))


@st.composite
def likes(draw: st.DrawFn) -> Node:
    """LIKE and NOT LIKE with a literal pattern."""
    name, pattern, negate = draw(_names("text")), draw(_LIKES), draw(st.booleans())
    regex = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern)

    def truth(row: Row) -> Truth:
        if row[name] is None:
            return None
        return (re.fullmatch(regex, row[name], re.DOTALL) is not None) != negate

    return Node(
        f"{name} {'NOT ' if negate else ''}LIKE {_literal(pattern)}", truth, frozenset({name})
    )


@st.composite
def nullness(draw: st.DrawFn) -> Node:
    """IS NULL, IS NOT NULL and COALESCE: where the author says what unknown means."""
    name, negate = draw(st.sampled_from(list(COLUMNS))), draw(st.booleans())
    if draw(st.booleans()):
        sql = f"{name} IS {'NOT ' if negate else ''}NULL"
        return Node(sql, lambda row: (row[name] is None) != negate)
    value = draw(_of(COLUMNS[name]))
    return Node(
        f"COALESCE({name}, {_literal(value)}) = {_literal(value)}",
        lambda row: row[name] is None or row[name] == value,
    )


def flags() -> st.SearchStrategy[Node]:
    """A boolean column alone."""
    return _names("boolean").map(lambda name: Node(name, lambda row: row[name], frozenset({name})))


def conditions() -> st.SearchStrategy[Node]:
    """Conditions of any shape."""
    leaves = flags() | comparisons() | memberships() | bounds() | likes() | nullness()
    return st.recursive(leaves, _joined, max_leaves=6)


def _joined(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return (
        parts.map(lambda a: Node(f"NOT ({a.sql})", lambda row: negated(a.truth(row)), a.reads))
        | st.tuples(parts, parts).map(
            lambda ab: Node(
                f"({ab[0].sql}) AND ({ab[1].sql})",
                lambda row: both(ab[0].truth(row), ab[1].truth(row)),
                ab[0].reads | ab[1].reads,
            )
        )
        | st.tuples(parts, parts).map(
            lambda ab: Node(
                f"({ab[0].sql}) OR ({ab[1].sql})",
                lambda row: either(ab[0].truth(row), ab[1].truth(row)),
                ab[0].reads | ab[1].reads,
            )
        )
    )


def rows() -> st.SearchStrategy[dict[str, Any]]:
    """A value or nothing for every column."""
    values = {
        "boolean": st.booleans(),
        "integer": st.integers(-3, 3),
        "number": st.integers(-3, 3).map(float) | st.sampled_from([-1.5, -0.5, 0.25, 0.5, 2.5]),
        "text": _TEXTS,
    }
    return st.fixed_dictionaries({name: st.none() | values[kind] for name, kind in COLUMNS.items()})
