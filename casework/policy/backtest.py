"""Comparing what two bundles decide about the same cases."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

#: What makes an outcome: where the case goes and what is proposed.
OUTCOME_KEY: Final = ("route", "queue", "action")


@dataclass(frozen=True, slots=True)
class Change:
    """One cell of the matrix: cases that went one way and would go another."""

    before: tuple[str | None, ...]  # route, queue, action
    after: tuple[str | None, ...]
    count: int
    case_ids: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "before": dict(zip(OUTCOME_KEY, self.before, strict=True)),
            "after": dict(zip(OUTCOME_KEY, self.after, strict=True)),
            "count": self.count,
            "case_ids": list(self.case_ids),
        }


@dataclass(slots=True)
class Comparison:
    """The matrix, added up over any number of pages."""

    cases: int = 0
    same: int = 0
    cells: dict[tuple[Any, ...], list[str]] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many cases would go another way."""
        return self.cases - self.same

    def changes(self) -> list[Change]:
        """The cells where something changes, the fullest first."""
        width = len(OUTCOME_KEY)
        made = [
            Change(key[:width], key[width:], len(ids), tuple(ids))
            for key, ids in self.cells.items()
        ]
        return sorted(made, key=lambda change: (-change.count, str(change.before)))


def compare(
    before: pl.DataFrame, after: pl.DataFrame, into: Comparison | None = None
) -> Comparison:
    """Compare two evaluated frames of the same cases, in the same order.

    Raises:
        ValueError: the frames are not of the same cases.
    """
    comparison = into if into is not None else Comparison()
    if before["case_id"].to_list() != after["case_id"].to_list():
        raise ValueError("the two frames are not of the same cases")
    both = pl.concat(
        [
            before.select("case_id", *(pl.col(name).alias(f"b_{name}") for name in OUTCOME_KEY)),
            after.select(pl.col(name).alias(f"a_{name}") for name in OUTCOME_KEY),
        ],
        how="horizontal",
    )
    differs = pl.any_horizontal(
        pl.col(f"b_{name}").ne_missing(pl.col(f"a_{name}")) for name in OUTCOME_KEY
    )
    changed = both.filter(differs)
    comparison.cases += both.height
    comparison.same += both.height - changed.height
    for key, case in _keyed(changed):
        comparison.cells.setdefault(key, []).append(case)
    return comparison


def _keyed(changed: pl.DataFrame) -> Iterable[tuple[tuple[Any, ...], str]]:
    for case, *key in changed.iter_rows():
        yield tuple(key), case
