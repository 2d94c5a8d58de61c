"""Rules that cannot decide anything: never true, or always preceded by others.

A rule that sends to a person takes a case from a later closing rule not only by being true but
also by being unknown. So one is preceded only where, whenever it is true, an earlier rule is true,
and whenever it is unknown, an earlier rule is true or would send to a person for being unknown.

What is proved is proved for every case there could be, unknown signals included. Comparisons with
literals cut each column's values into finitely many ranges; one value of each range, and null, are
tried in every combination, by the very engine that decides cases. Anything else (LIKE, a function,
two columns compared) counts as a column of its own that can be true, false or null, whatever the
rest says. A fault is therefore never reported wrongly; some dead rules go unseen. No more than
``LIMIT`` combinations are looked at together: a rule whose columns would make more is left out,
which can hide a fault but not make one up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from math import prod
from typing import Any, Final

import polars as pl
from sqlglot import exp

from casework.cases import Route
from casework.policy.conditions import Condition, atoms, decisive_columns, parse_condition
from casework.policy.draft import Draft
from casework.policy.program import DTYPES
from casework.policy.schema import RuleEntry

#: Combinations looked at together.
LIMIT: Final = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A rule's condition over columns whose values can be tried one by one."""

    index: int
    rule: RuleEntry
    normal: str
    condition: pl.Expr
    literals: Mapping[str, frozenset[Any]]  # column -> what it is compared with
    types: Mapping[str, str]
    may_hold_up: bool  # being unknown can send a case to its queue
    holds_up: bool  # being unknown always does


def check_reach(draft: Draft, types: Mapping[str, str]) -> None:
    """Note each rule that can never be true and each that another always precedes."""
    earlier: list[_Shape] = []
    idle = _idle(draft)
    for index, rule in draft.rules:
        if not rule.when:
            continue
        condition = parse_condition(rule.when, types)
        if condition.mistakes or condition.tree is None:
            continue
        shape = _shape(index, rule, condition, types, idle)
        if _never_true(shape):
            hint = "no values make it true; look for a contradiction"
            draft.add("rules", (index, "when"), f"rule `{rule.id}` can never be true", hint)
            continue
        if before := _preceding(shape, earlier):
            _note_preceded(draft, shape, before)
        earlier.append(shape)


def _note_preceded(draft: Draft, shape: _Shape, before: Sequence[_Shape]) -> None:
    nodes = draft.documents["rules.yaml"].nodes
    lines = ", ".join(str(nodes[(other.index,)].start_mark.line + 1) for other in before)
    names = ", ".join(f"`{other.rule.id}`" for other in before)
    if len(before) == 1:
        comes, hint = "comes", f"whenever it is true, the rule on line {lines} is too"
    else:
        comes = "together come"
        hint = f"whenever it is true, one of the rules on lines {lines} is too"
    message = f"rule `{shape.rule.id}` can never decide: {names} {comes} first"
    draft.add("rules", (shape.index, "when"), message, hint)


def _idle(draft: Draft) -> frozenset[str]:
    """Signals of providers that the bundle declares not in use."""
    providers = draft.head.providers if draft.head else {}
    unused = {name for name, use in providers.items() if use == "not_in_use"}
    return frozenset(name for name, signal in draft.signals.items() if signal.provider in unused)


def _shape(
    index: int,
    rule: RuleEntry,
    condition: Condition,
    types: Mapping[str, str],
    idle: frozenset[str],
) -> _Shape:
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
    decisive = decisive_columns(condition.sql)
    to_person = rule.route != Route.CLOSE
    return _Shape(
        index=index,
        rule=rule,
        normal=condition.normal,
        condition=pl.sql_expr(tree.sql(dialect="postgres")),
        literals={name: frozenset(values) for name, values in literals.items()},
        types=kinds,
        may_hold_up=to_person and bool(decisive - idle),
        holds_up=to_person and not decisive & idle,
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


def _cuts(shapes: Sequence[_Shape]) -> dict[str, pl.Series]:
    """The values that matter to some rules, for each column that they read."""
    types = {name: kind for shape in shapes for name, kind in shape.types.items()}
    cuts = {}
    for name, kind in types.items():
        literals = chain.from_iterable(shape.literals.get(name, ()) for shape in shapes)
        cuts[name] = pl.Series(name, _values(kind, set(literals)), dtype=DTYPES[kind])
    return cuts


def _widened(
    frame: pl.DataFrame, shape: _Shape, cuts: Mapping[str, pl.Series]
) -> pl.DataFrame | None:
    """A frame with a rule's further columns in every combination; None for too many."""
    more = [cuts[name] for name in shape.types if name not in frame.columns]
    if frame.height * prod(map(len, more)) > LIMIT:
        return None
    for values in more:
        frame = frame.join(values.to_frame(), how="cross")
    return frame


def _all(shape: _Shape, cuts: Mapping[str, pl.Series]) -> pl.DataFrame | None:
    """Every combination of the values of a rule's columns; None for too many."""
    return _widened(pl.DataFrame({"one": [True]}), shape, cuts)


def _never_true(shape: _Shape) -> bool:
    frame = _all(shape, _cuts([shape]))
    return frame is not None and not frame.select(_truth(shape).any()).item()


def _preceding(shape: _Shape, earlier: Sequence[_Shape]) -> list[_Shape]:
    """Earlier rules that leave nothing to a rule: one if one does, else several, else none."""
    if _takes_the_unknown(shape, earlier):
        return []
    for other in earlier:
        if other.types and not other.types.keys() & shape.types.keys():
            continue
        same = other.normal == shape.normal and other.may_hold_up >= shape.may_hold_up
        if same or _leave_nothing(shape, [other]):
            return [other]
    before = _leave_nothing(shape, earlier)
    for other in list(before):
        if rest := _leave_nothing(shape, [each for each in before if each is not other]):
            before = rest
    return before


def _takes_the_unknown(shape: _Shape, earlier: Sequence[_Shape]) -> bool:
    """Whether a rule takes a case of which nothing is known that it does not read itself.

    Most rules do, and then nothing else need be tried.
    """
    left = _taken(shape, cuts := _cuts([shape, *earlier]))
    if left is None:
        return False
    missing = [values for name, values in cuts.items() if name not in left.columns]
    left = left.with_columns(pl.lit(None, each.dtype).alias(each.name) for each in missing)
    taken = left.select(pl.any_horizontal(False, *map(_takes, earlier)).sum())
    return left.height > int(taken.item())


def _leave_nothing(shape: _Shape, earlier: Sequence[_Shape]) -> list[_Shape]:
    """Those of some rules that together precede a rule wherever it could take a case; or none.

    The combinations in which the rule takes a case are kept, and those of each earlier rule in
    turn struck out. Whichever needs the fewest new columns is next.
    """
    left = _taken(shape, cuts := _cuts([shape, *earlier]))
    waiting, before = list(earlier), []
    while left is not None and left.height and waiting:
        other = min(waiting, key=partial(_distance, left.columns))
        waiting.remove(other)
        wider = _widened(left, other, cuts)
        if wider is None:
            continue
        rest = wider.filter(~_takes(other))
        if rest.height < wider.height:
            left = rest
            before.append(other)
    return [] if left is None or left.height else [each for each in earlier if each in before]


def _distance(columns: Sequence[str], shape: _Shape) -> tuple[bool, int]:
    """How far a rule is from some columns: whether it reads none of them, and how many others."""
    more = shape.types.keys() - set(columns)
    return 0 < len(more) == len(shape.types), len(more)


def _taken(shape: _Shape, cuts: Mapping[str, pl.Series]) -> pl.DataFrame | None:
    """The combinations in which a rule takes a case: true, or ``unknown`` and for a person."""
    frame = _all(shape, cuts)
    if frame is None:
        return None
    truth = _truth(shape)
    return frame.with_columns(unknown=truth.is_null()).filter(truth.fill_null(shape.may_hold_up))


def _takes(shape: _Shape) -> pl.Expr:
    """Where an earlier rule takes the case; by being unknown only where the later one is too."""
    truth = _truth(shape)
    held_up = truth.is_null() & pl.col("unknown") & shape.holds_up
    return truth.fill_null(False) | held_up


def _truth(shape: _Shape) -> pl.Expr:
    """What a condition is worth; a constant one is as long as the frame."""
    # TRUE AND unknown is unknown.
    return pl.col("one") & shape.condition
