"""The rules of a bundle, compiled to column expressions by Polars' own SQL reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import polars as pl

from casework.cases import CASE_FIELDS
from casework.policy.conditions import decisive_columns
from casework.policy.model import Bundle, Rule

#: The column type of each signal type.
DTYPES: Final[Mapping[str, Any]] = {
    "boolean": pl.Boolean,
    "integer": pl.Int64,
    "number": pl.Float64,
    "text": pl.String,
}


@dataclass(frozen=True, slots=True)
class Program:
    """The rules of a bundle, compiled."""

    rules: tuple[Rule, ...]
    conditions: tuple[pl.Expr, ...]
    reads: tuple[tuple[str, ...], ...]  # columns a rule reads
    wanted: tuple[tuple[str, ...], ...]  # those whose absence leaves it undecided
    columns: Mapping[str, str]  # every column read, with its type


def compile_bundle(bundle: Bundle) -> Program:
    """Compile the rules of a bundle, once for each bundle."""
    types = tuple((name, signal.type) for name, signal in bundle.signals.items())
    idle = frozenset(
        name
        for name, signal in bundle.signals.items()
        if signal.provider in bundle.unused_providers
    )
    return _compile(bundle.rules, types, idle)


@lru_cache(maxsize=8)
def _compile(
    rules: tuple[Rule, ...], types: tuple[tuple[str, str], ...], idle: frozenset[str]
) -> Program:
    known = {**CASE_FIELDS, **dict(types)}
    conditions = tuple(pl.sql_expr(rule.when) for rule in rules)
    reads = tuple(tuple(dict.fromkeys(each.meta.root_names())) for each in conditions)
    return Program(
        rules=rules,
        conditions=conditions,
        reads=reads,
        wanted=tuple(_wanted(rule, names, idle) for rule, names in zip(rules, reads, strict=True)),
        columns={name: known[name] for names in reads for name in names},
    )


def _wanted(rule: Rule, names: Sequence[str], idle: frozenset[str]) -> tuple[str, ...]:
    counted = decisive_columns(rule.when) - idle
    return tuple(name for name in names if name in counted)


def truths(program: Program, columns: pl.DataFrame) -> pl.DataFrame:
    """The truth of every rule for every case, in columns ``r0``, ``r1`` ...; null is unknown."""
    conditions = (each.alias(f"r{i}") for i, each in enumerate(program.conditions))
    return columns.lazy().select("case_id", *conditions).collect()


def engine_fault(sql: str, types: Mapping[str, str]) -> str:
    """Why Polars does not take a condition over columns of these types; empty if it does."""
    known = {name: DTYPES[kind] for name, kind in types.items() if kind in DTYPES}
    try:
        schema = pl.LazyFrame(schema=known).select(truth=pl.sql_expr(sql)).collect_schema()
    except pl.exceptions.PolarsError as error:
        return str(error).strip().splitlines()[0][:120]
    return "" if schema["truth"] == pl.Boolean else f"it gives {schema['truth']}"
