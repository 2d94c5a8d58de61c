"""Rules that cannot decide anything: never true, or always preceded by a true one.

What is proved is proved for every case there could be, unknown signals included. Comparisons with
literals cut each column's values into finitely many ranges; one value of each range, and null, are
tried in every combination, by the very engine that decides cases. Anything else (LIKE, a function,
two columns compared) counts as a column of its own that can be true, false or null, whatever the
rest says. A fault is therefore never reported wrongly; some dead rules go unseen, and those
with more than ``LIMIT`` combinations are not tried.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

import polars as pl
from sqlglot import exp

from casework.policy.conditions import Condition, atoms, parse_condition
from casework.policy.draft import Draft
from casework.policy.program import DTYPES
from casework.policy.schema import RuleEntry

#: Combinations tried for one rule or one pair of rules.
LIMIT: Final = 50_000


@dataclass(frozen=True, slots=True)
class _Shape:
    """A rule's condition over columns whose values can be tried one by one."""

    index: int
    rule: RuleEntry
    normal: str
    condition: pl.Expr
    literals: Mapping[str, frozenset[Any]]  # column -> what it is compared with
    types: Mapping[str, str]


def check_reach(draft: Draft, types: Mapping[str, str]) -> None:
    """Note each rule that can never be true and each that another always precedes."""
    earlier: list[_Shape] = []
    for index, rule in draft.rules:
        if not rule.when:
            continue
        condition = parse_condition(rule.when, types)
        if condition.mistakes or condition.tree is None:
            continue
        shape = _shape(index, rule, condition, types)
        if _never_true(shape):
            hint = "no values make it true; look for a contradiction"
            draft.add("rules", (index, "when"), f"rule `{rule.id}` can never be true", hint)
            continue
        if (other := _shadowed_by(shape, earlier)) is not None:
            line = draft.documents["rules.yaml"].nodes[(other.index,)].start_mark.line + 1
            message = f"rule `{rule.id}` can never decide: `{other.rule.id}` comes first"
            hint = f"whenever it is true, the rule on line {line} is too"
            draft.add("rules", (index, "when"), message, hint)
        earlier.append(shape)


def _shape(index: int, rule: RuleEntry, condition: Condition, types: Mapping[str, str]) -> _Shape:
    assert condition.tree is not None
    literals: dict[str, set[Any]] = {}
    kinds: dict[str, str] = {}
    tree = condition.tree.copy()
    for atom in list(atoms(tree)):
        columns = {column.name for column in atom.find_all(exp.Column)}
        if _is_plain(atom) and len(columns) <= 1:
            for name in columns:
                kinds[name] = types[name]
                literals.setdefault(name, set()).update(_literals(atom))
        else:
            opaque = "atom:" + atom.sql(dialect="postgres")
            kinds[opaque] = "boolean"
            literals.setdefault(opaque, set())
            column = exp.column(exp.to_identifier(opaque, quoted=True))
            if atom is tree:
                tree = column
            else:
                atom.replace(column)
    return _Shape(
        index=index,
        rule=rule,
        normal=condition.normal,
        condition=pl.sql_expr(tree.sql(dialect="postgres")),
        literals={name: frozenset(values) for name, values in literals.items()},
        types=kinds,
    )


_PLAIN: Final = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.Neg,
    exp.Paren,
    exp.Coalesce,
    exp.In,
    exp.Between,
    exp.Is,
    exp.EQ,
    exp.NEQ,
)
_ORDERING: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)


def _is_plain(atom: exp.Expr) -> bool:
    """Whether an atom compares one column with literals alone."""
    nodes = list(atom.walk())
    if not all(isinstance(node, (*_PLAIN, *_ORDERING)) for node in nodes):
        return False
    has_text = any(isinstance(node, exp.Literal) and node.is_string for node in nodes)
    # Texts in order cannot be tried by a few values: there is always one in between.
    return not (has_text and any(isinstance(node, _ORDERING) for node in nodes))


def _literals(atom: exp.Expr) -> Iterable[Any]:
    for node in atom.find_all(exp.Literal):
        if node.is_string:
            yield node.this
        else:
            number = float(node.this)
            yield -number if isinstance(node.parent, exp.Neg) else number


def _values(kind: str, literals: Iterable[Any]) -> list[Any]:
    """One value of each range that the literals cut, and null."""
    if kind == "boolean":
        return [True, False, None]
    if kind == "text":
        texts = sorted(literals)
        return [*texts, "".join(texts) + "?", None]
    numbers = sorted({float(number) for number in literals} or {0.0})
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    found = {*numbers, *between, numbers[0] - 1, numbers[-1] + 1}
    if kind == "integer":
        return [*sorted({int(n // 1) + step for n in found for step in (-1, 0, 1)}), None]
    return [*sorted(found), None]


def _grid(shapes: Sequence[_Shape]) -> pl.DataFrame | None:
    """Every combination of the values that matter to some rules; None for too many."""
    types = {name: kind for shape in shapes for name, kind in shape.types.items()}
    columns, size = [], 1
    for name, kind in types.items():
        literals = chain.from_iterable(shape.literals.get(name, ()) for shape in shapes)
        values = pl.Series(name, _values(kind, set(literals)), dtype=DTYPES[kind])
        columns.append(values.to_frame())
        size *= len(values)
        if size > LIMIT:
            return None
    grid = pl.DataFrame({"one": [True]}).lazy()
    for column in columns:
        grid = grid.join(column.lazy(), how="cross")
    return grid.collect()


def _never_true(shape: _Shape) -> bool:
    grid = _grid([shape])
    return grid is not None and not _true(grid, shape).any()


def _shadowed_by(shape: _Shape, earlier: Sequence[_Shape]) -> _Shape | None:
    for other in earlier:
        if other.normal == shape.normal:
            return other
        if not other.types:
            if _true(pl.DataFrame({"one": [True]}), other).all():
                return other
            continue
        if not set(other.types) & set(shape.types):
            continue
        grid = _grid([other, shape])
        if grid is not None and not (_true(grid, shape) & ~_true(grid, other)).any():
            return other
    return None


def _true(grid: pl.DataFrame, shape: _Shape) -> pl.Series:
    """Where a condition is true; a constant one is as long as the grid."""
    truth = grid.select(pl.col("one") & shape.condition.fill_null(False))
    return truth.to_series()
