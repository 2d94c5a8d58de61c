"""The SQL a rule's ``when`` may be written in, and its types.

Allowed: signals and case fields, literals, AND, OR, NOT, comparisons, IN, BETWEEN, IS [NOT] NULL,
LIKE, ILIKE, + and -, and the functions COALESCE, LOWER, UPPER, LENGTH and STARTS_WITH. All of it is
three-valued and gives the same answer for the same case whenever it is asked; what is left out
does not, in SQL or in Polars (IS TRUE, CASE, division, aggregates, the clock, sub-queries).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from casework.policy.faults import nearest

Kind: TypeAlias = Literal["boolean", "number", "text"]

_DIALECT: Final = "postgres"
_KINDS: Final[Mapping[str, Kind]] = {
    "boolean": "boolean",
    "integer": "number",
    "number": "number",
    "text": "text",
}
_ORDERED: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_FUNCTIONS: Final = "COALESCE, LOWER, UPPER, LENGTH, STARTS_WITH"
_BANNED: Final = {
    exp.Case: "write COALESCE(signal, value): CASE takes unknown for false",
    exp.Div: "compare with a multiple instead: integer division differs between databases",
    exp.Mul: "use + and -",
    exp.Subquery: "a rule reads one case alone",
    exp.Select: "a rule reads one case alone",
    exp.Cast: "declare the signal with the type you need",
    exp.AggFunc: "a rule reads one case alone",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A fault at a character of the SQL text."""

    offset: int
    message: str
    hint: str = ""


@dataclass(slots=True)
class Condition:
    """A parsed ``when``: its tree where it parses, and its mistakes."""

    sql: str
    tree: exp.Expr | None = None
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def columns(self) -> frozenset[str]:
        """Signals and fields it reads."""
        if self.tree is None:
            return frozenset()
        return frozenset(column.name for column in self.tree.find_all(exp.Column))

    @property
    def normal(self) -> str:
        """The condition with its blanks, case and brackets evened out."""
        if self.tree is None:
            return self.sql
        flat = self.tree.copy().transform(
            lambda node: node.this if isinstance(node, exp.Paren) else node
        )
        return str(flat.sql(dialect=_DIALECT))


def parse_condition(sql: str, types: Mapping[str, str]) -> Condition:
    """Parse and type-check a condition over columns of the given types."""
    condition = Condition(sql)
    try:
        tree = sqlglot.parse_one(sql, dialect=_DIALECT)
    except SqlglotError as error:
        condition.mistakes.append(_syntax(sql, error))
        return condition
    checker = _Checker(sql, types, condition.mistakes)
    kind = checker.kind(tree)
    if not condition.mistakes and kind != "boolean":
        condition.mistakes.append(
            Mistake(0, f"this is {kind or 'NULL'}, not a condition", "compare it with something")
        )
    condition.tree = tree
    return condition


def _syntax(sql: str, error: SqlglotError) -> Mistake:
    details = getattr(error, "errors", None) or [{}]
    first = details[0]
    description = str(first.get("description") or error).split(" for <class")[0].strip()
    before = str(first.get("start_context") or "")
    highlight = str(first.get("highlight") or "")
    offset = sql.find(before + highlight)
    at = offset + len(before) if offset >= 0 and before + highlight else 0
    return Mistake(at, "this SQL does not parse", description[:120])


class _Checker:
    """Walk a tree once; say its kind, and note each mistake where it stands."""

    def __init__(self, sql: str, types: Mapping[str, str], mistakes: list[Mistake]) -> None:
        self._sql = sql
        self._types = types
        self._mistakes = mistakes
        self._rules: dict[type[exp.Expr], Callable[..., Kind | None]] = {
            exp.Column: self._column,
            exp.Literal: lambda node: "text" if node.is_string else "number",
            exp.Boolean: lambda node: "boolean",
            exp.Paren: lambda node: self.kind(node.this),
            exp.Neg: lambda node: self._all(node, "number", "number", node.this),
            exp.Add: lambda node: self._all(node, "number", "number", node.this, node.expression),
            exp.Sub: lambda node: self._all(node, "number", "number", node.this, node.expression),
            exp.Not: lambda node: self._all(node, "boolean", "boolean", node.this),
            exp.And: lambda node: self._all(node, "boolean", "boolean", node.left, node.right),
            exp.Or: lambda node: self._all(node, "boolean", "boolean", node.left, node.right),
            exp.In: self._in,
            exp.Between: lambda node: self._same(
                node, node.this, node.args["low"], node.args["high"]
            ),
            exp.Is: self._is,
            exp.Like: self._like,
            exp.ILike: self._like,
            exp.Coalesce: self._coalesce,
            exp.Lower: lambda node: self._all(node, "text", "text", node.this),
            exp.Upper: lambda node: self._all(node, "text", "text", node.this),
            exp.Length: lambda node: self._all(node, "text", "number", node.this),
            exp.StartsWith: lambda node: self._all(
                node, "text", "boolean", node.this, node.expression
            ),
            **{kind: lambda node: self._same(node, node.left, node.right) for kind in _COMPARISONS},
        }

    def kind(self, node: exp.Expr) -> Kind | None:
        """The kind of a node's value; None where a mistake leaves it open."""
        rule = self._rules.get(type(node))
        if rule is not None:
            return rule(node)
        if isinstance(node, exp.Null):
            self._note(node, "NULL is never equal to anything", "write IS NULL or IS NOT NULL")
            return None
        hint = next((hint for kind, hint in _BANNED.items() if isinstance(node, kind)), "")
        what = node.sql(dialect=_DIALECT).split("(")[0] if isinstance(node, exp.Func) else node.key
        self._note(
            node, f"{what.upper()} is not allowed in a rule", hint or f"functions: {_FUNCTIONS}"
        )
        return None

    def _column(self, node: exp.Column) -> Kind | None:
        if node.table:
            self._note(node, f"`{node.sql()}` has a table name", "name the signal alone")
            return None
        declared = self._types.get(node.name)
        if declared is None:
            self._note(node, f"unknown signal `{node.name}`", nearest(node.name, self._types))
            return None
        return _KINDS.get(declared)

    def _all(self, node: exp.Expr, wanted: Kind, result: Kind, *parts: exp.Expr) -> Kind:
        for part in parts:
            kind = self.kind(part)
            if kind is not None and kind != wanted:
                self._note(part, f"`{_short(part)}` is {kind}, not {wanted}", _convert(part, kind))
        return result

    def _same(self, node: exp.Expr, *parts: exp.Expr) -> Kind:
        kinds = [(part, self.kind(part)) for part in parts]
        known = [(part, kind) for part, kind in kinds if kind is not None]
        for part, kind in known[1:]:
            if kind != known[0][1]:
                first = known[0]
                self._note(
                    part,
                    f"`{_short(first[0])}` is {first[1]} and `{_short(part)}` is {kind}",
                    "compare values of one type",
                )
        if (
            known
            and known[0][1] == "boolean"
            and isinstance(node, (exp.GT, exp.GTE, exp.LT, exp.LTE))
        ):
            self._note(node, "true and false have no order", "use = or <>")
        return "boolean"

    def _in(self, node: exp.In) -> Kind:
        items = node.expressions
        if not items:
            self._note(node, "IN takes a list of values here", "a rule reads one case alone")
        for item in items:
            if not isinstance(item, (exp.Literal, exp.Neg, exp.Boolean)):
                self._note(item, "IN takes literal values alone", "write OR for anything else")
                return "boolean"
        return self._same(node, node.this, *items)

    def _is(self, node: exp.Is) -> Kind:
        self.kind(node.this)
        if not isinstance(node.expression, exp.Null):
            self._note(node.this, "IS takes NULL alone", "use = or COALESCE(signal, false)")
        return "boolean"

    def _like(self, node: exp.Like | exp.ILike) -> Kind:
        if not (isinstance(node.expression, exp.Literal) and node.expression.is_string):
            self._note(node, "LIKE takes a literal pattern", "for example LIKE 'ab%'")
            return "boolean"
        if "\\" in node.expression.this:
            self._note(
                node, "a backslash in LIKE differs between databases", "use a pattern signal"
            )
        return self._all(node, "text", "boolean", node.this)

    def _coalesce(self, node: exp.Coalesce) -> Kind | None:
        parts = [node.this, *node.expressions]
        kinds = [kind for part in parts if (kind := self.kind(part)) is not None]
        if len(parts) < 2:
            self._note(node, "COALESCE needs a value for unknown", "COALESCE(signal, value)")
        if len(set(kinds)) > 1:
            self._note(node, f"COALESCE mixes {' and '.join(sorted(set(kinds)))}", "use one type")
        return kinds[0] if kinds else None

    def _note(self, node: exp.Expr, message: str, hint: str = "") -> None:
        self._mistakes.append(Mistake(self._offset(node), message, hint))

    def _offset(self, node: exp.Expr) -> int:
        """Where a node begins: a name says so itself, anything else is looked for by its text."""
        places = [start for inner in node.walk() if (start := _start(inner)) is not None]
        after = min(places) if places else None
        if isinstance(node, exp.Column) and after is not None:
            return after
        words = re.findall(r"\w+", _short(node))
        pattern = re.compile(rf"'?\b{re.escape(words[0])}\b", re.IGNORECASE) if words else None
        found = [match.start() for match in pattern.finditer(self._sql)] if pattern else []
        if after is None:
            return found[0] if found else 0
        return max((at for at in found if at <= after), default=after)


def _start(node: exp.Expr) -> int | None:
    start = node.meta.get("start") if isinstance(node, exp.Identifier) else None
    return int(start) if start is not None else None


def _short(node: exp.Expr) -> str:
    text = str(node.sql(dialect=_DIALECT))
    return text if len(text) <= 40 else text[:37] + "..."


def _convert(node: exp.Expr, kind: Kind) -> str:
    if isinstance(node, exp.Column) and kind == "number":
        return f"compare it: {node.name} > 0"
    return "" if kind != "text" else "compare it with a text in single quotes"


def atoms(node: exp.Expr) -> Iterator[exp.Expr]:
    """The parts of a condition between AND, OR, NOT and brackets."""
    if isinstance(node, (exp.And, exp.Or)):
        yield from atoms(node.left)
        yield from atoms(node.right)
    elif isinstance(node, (exp.Not, exp.Paren)):
        yield from atoms(node.this)
    else:
        yield node


def decisive_columns(sql: str) -> frozenset[str]:
    """The columns whose being unknown can leave a condition unknown: not those under COALESCE."""
    return frozenset(_decisive(sqlglot.parse_one(sql, dialect=_DIALECT)))


def _decisive(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.Column):
        yield node.name
    elif isinstance(node, exp.Coalesce) and any(
        isinstance(part, (exp.Literal, exp.Boolean)) for part in node.expressions
    ):
        return
    elif not isinstance(node, exp.Is):
        for part in node.iter_expressions():
            yield from _decisive(part)
