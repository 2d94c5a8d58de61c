"""Deciding a batch of cases: rules column by column, with unknown kept apart from false.

Rules are tried in the order of the bundle and the first that is true decides. A rule whose
condition is NULL is *undecided*. A closing rule that comes after an undecided rule of another route
closes nothing: a person sees the case, in the queue of the first undecided rule.

A NULL that comes only from signals of providers the bundle declares not in use leaves its rule
false: the operator has said openly that nobody looks there. Everything else that is missing,
of another type, not a number, or too large to be exact is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Final

import polars as pl

from casework.cases import Route
from casework.policy.model import Bundle, Default, Rule
from casework.policy.program import DTYPES, Program, compile_bundle, truths

#: The columns of what ``evaluate`` gives.
OUTCOME: Final[Mapping[str, Any]] = {
    "case_id": pl.String,
    "route": pl.String,
    "severity": pl.String,
    "queue": pl.String,
    "action": pl.String,
    "rule_id": pl.String,
    "reason": pl.String,
    "unknown": pl.List(pl.String),
}

#: Integers past this are not exact in JSON; numbers past the other could overflow in a sum.
EXACT: Final = 2**53
LARGEST: Final = 1e300

_CODE: Final = pl.UInt16
_WORD: Final = 63  # signals in one mask


def frame(bundle: Bundle, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Lay out rows for evaluation: ``case_id`` and each column that a rule reads.

    A value that is missing, of another type than declared or not exact becomes null.
    """
    listed = list(rows)
    given: set[str] = set().union(*listed)
    series = [pl.Series("case_id", [row["case_id"] for row in listed], dtype=pl.String)]
    for name, kind in compile_bundle(bundle).columns.items():
        values = [row.get(name) for row in listed] if name in given else [None] * len(listed)
        series.append(pl.Series(name, _fitting(values, kind), dtype=DTYPES[kind]))
    return pl.DataFrame(series)


def _fitting(values: list[Any], kind: str) -> list[Any]:
    """The values of a type, None for each that is not of it."""
    present = set(map(type, values)) - {type(None)}
    if kind == "boolean":
        return values if present <= {bool} else [v if type(v) is bool else None for v in values]
    if kind == "text":
        return [v if isinstance(v, str) else None for v in values] if present - {str} else values
    if not present:
        return values
    if kind == "integer":
        return [v if type(v) is int and -EXACT <= v <= EXACT else None for v in values]
    return [_number(value) for value in values]


def _number(value: Any) -> float | None:
    if type(value) is int:
        return float(value) if -EXACT <= value <= EXACT else None
    if type(value) is float and isfinite(value) and abs(value) <= LARGEST:
        return value
    return None


def evaluate(bundle: Bundle, frame: pl.DataFrame) -> pl.DataFrame:
    """Decide every case of a frame; one row each, in the same order, with the OUTCOME columns.

    ``rule_id`` is null where no rule decided. ``unknown`` names the null signals read by the
    undecided rules that come before the deciding one and do not close.
    """
    codes = _evaluated(bundle, frame)
    keys = codes.columns[1:]
    different = codes.select(keys).unique(maintain_order=True)
    table = pl.DataFrame(
        [_outcome(bundle, key) for key in different.iter_rows()],
        schema={name: kind for name, kind in OUTCOME.items() if name != "case_id"},
        orient="row",
    )
    table = pl.concat([different, table], how="horizontal")
    return codes.join(table, on=keys, how="left", maintain_order="left").select(*OUTCOME)


def decide(bundle: Bundle, frame: pl.DataFrame) -> list[Mapping[str, Any]]:
    """Decide every case of a frame; the OUTCOME of each without its id, equal ones shared."""
    codes = _evaluated(bundle, frame).drop("case_id")
    made: dict[tuple[int, ...], Mapping[str, Any]] = {}
    for key in codes.unique().iter_rows():
        made[key] = _outcome(bundle, key)
    return [made[key] for key in codes.iter_rows()]


def _evaluated(bundle: Bundle, frame: pl.DataFrame) -> pl.DataFrame:
    program = compile_bundle(bundle)
    columns = cleaned(frame, program)
    return _codes(columns, truths(program, columns), program)


def cleaned(frame: pl.DataFrame, program: Program) -> pl.DataFrame:
    """The columns that rules read, in their types; what is not exact becomes null."""
    given = frame.schema  # made anew each time that it is asked for
    exact = {
        name: _is_exact(name, kind)
        for name, kind in program.columns.items()
        if kind in ("integer", "number") and given.get(name) == DTYPES[kind]
    }
    whole = frame.select(each.all().alias(name) for name, each in exact.items())
    columns = [pl.col("case_id")]
    for name, kind in program.columns.items():
        if given.get(name) != DTYPES[kind]:
            columns.append(pl.lit(None, dtype=DTYPES[kind]).alias(name))
        elif name in exact and not whole[name].item():
            columns.append(pl.when(exact[name]).then(pl.col(name)).alias(name))
        else:
            columns.append(pl.col(name))
    return frame.select(columns)


def _is_exact(name: str, kind: str) -> pl.Expr:
    if kind == "integer":
        return pl.col(name).is_between(-EXACT, EXACT)
    return pl.col(name).is_not_nan() & pl.col(name).is_between(-LARGEST, LARGEST)


def _codes(columns: pl.DataFrame, truth: pl.DataFrame, program: Program) -> pl.DataFrame:
    """For each case the deciding rule, the first undecided one before it, and what was unknown.

    Columns: ``case_id``, ``code`` (the number of rules where none decides), ``first`` (the same
    where none is undecided) and ``m0``, ``m1`` ... (masks over the columns that rules read).
    """
    last = len(program.rules)
    code = pl.coalesce(
        *(pl.when(pl.col(f"r{i}")).then(pl.lit(i, _CODE)) for i in range(last)), pl.lit(last, _CODE)
    )
    masks = len(_words(program))
    codes = truth.select(
        "case_id",
        code.alias("code"),
        pl.lit(last, _CODE).alias("first"),
        *(pl.lit(0, pl.UInt64).alias(f"m{k}") for k in range(masks)),
    )
    open_rules = [
        i
        for i, rule in enumerate(program.rules)
        if rule.route is not Route.CLOSE and program.wanted[i] and truth[f"r{i}"].null_count()
    ]
    if not open_rules:
        return codes
    joined = pl.concat([codes, truth.drop("case_id"), columns.drop("case_id")], how="horizontal")
    return _undecided(joined, open_rules, program).select(codes.columns)


def _undecided(joined: pl.DataFrame, open_rules: Sequence[int], program: Program) -> pl.DataFrame:
    """Fill ``first`` and the masks where a rule before the deciding one is undecided."""
    flags = joined.select(_is_undecided(i, program).alias(f"u{i}") for i in open_rules)
    first = pl.coalesce(
        *(pl.when(pl.col(f"u{i}")).then(pl.lit(i, _CODE)) for i in open_rules),
        pl.lit(len(program.rules), _CODE),
    )
    joined = pl.concat(
        [joined.drop("first"), flags, flags.select(first.alias("first"))], how="horizontal"
    )
    if not flags.select(pl.any_horizontal(pl.all()).any()).item():
        return joined
    readers: dict[str, list[int]] = {}
    for i in open_rules:
        for name in program.wanted[i]:
            readers.setdefault(name, []).append(i)
    return joined.with_columns(
        _mask(word, readers).alias(f"m{k}") for k, word in enumerate(_words(program))
    )


def _is_undecided(i: int, program: Program) -> pl.Expr:
    """Whether rule ``i`` is NULL for a wanted signal, before the deciding rule."""
    undecided = pl.col(f"r{i}").is_null() & (pl.col("code") > i)
    if len(program.wanted[i]) == len(program.reads[i]):
        return undecided
    return undecided & pl.any_horizontal(pl.col(name).is_null() for name in program.wanted[i])


def _words(program: Program) -> list[list[str]]:
    """The columns that rules read, cut into masks of 63 bits."""
    names = list(program.columns)
    return [names[at : at + _WORD] for at in range(0, len(names), _WORD)]


def _mask(word: Sequence[str], readers: Mapping[str, Sequence[int]]) -> pl.Expr:
    bits = [
        (pl.col(name).is_null() & pl.any_horizontal(pl.col(f"u{i}") for i in readers[name])).cast(
            pl.UInt64
        )
        * pl.lit(1 << bit, pl.UInt64)
        for bit, name in enumerate(word)
        if name in readers
    ]
    return pl.sum_horizontal(bits) if bits else pl.lit(0, pl.UInt64)


def _outcome(bundle: Bundle, key: Sequence[int]) -> dict[str, Any]:
    """The outcome of a row of ``_codes``: which rule decides, which is in doubt, and for what."""
    program = compile_bundle(bundle)
    code, first, *masks = key
    unknown = [
        name
        for word, mask in zip(_words(program), masks, strict=True)
        for bit, name in enumerate(word)
        if mask >> bit & 1
    ]
    last = len(program.rules)
    if code == last:
        default = bundle.default
        return _row(Route.REVIEW, default, None, default.reason, unknown)
    rule = program.rules[code]
    if rule.route is Route.CLOSE and first < last:
        doubt = program.rules[first]
        reason = f"undecided, for want of {', '.join(unknown)}: {doubt.reason}"
        return _row(Route.REVIEW, doubt, doubt.id, reason, unknown)
    return _row(rule.route, rule, rule.id, rule.reason, unknown)


def _row(
    route: Route, terms: Rule | Default, rule_id: str | None, reason: str, unknown: list[str]
) -> dict[str, Any]:
    return {
        "route": str(route),
        "severity": str(terms.severity),
        "queue": terms.queue,
        "action": terms.action,
        "rule_id": rule_id,
        "reason": reason,
        "unknown": unknown,
    }
