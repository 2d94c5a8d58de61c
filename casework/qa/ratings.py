"""Ratings in long form: who said what about which item."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import isfinite
from typing import NamedTuple, TypeAlias

from casework.errors import InputError

Value: TypeAlias = str | float


class Level(StrEnum):
    """What may be concluded from two values: that they differ, which is more, by how much."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


class Rating(NamedTuple):
    """One value that one rater gave to one item."""

    item: str
    rater: str
    value: Value


@dataclass(frozen=True)
class Ratings:
    """Ratings without contradictions: at most one of each rater for each item."""

    cells: dict[tuple[str, str], Value]  # (item, rater) -> value

    @cached_property
    def items(self) -> list[str]:
        """The items, in the order they came."""
        return list(dict.fromkeys(item for item, _ in self.cells))

    @cached_property
    def raters(self) -> list[str]:
        """The raters, by name."""
        return sorted({rater for _, rater in self.cells})

    @cached_property
    def categories(self) -> list[Value]:
        """The values that were given: numbers by size, texts by alphabet."""
        return sorted(set(self.cells.values()))

    @cached_property
    def counts(self) -> list[list[int]]:
        """For each item, how many raters gave each category."""
        place = {value: number for number, value in enumerate(self.categories)}
        tally: dict[str, list[int]] = {item: [0] * len(place) for item in self.items}
        for (item, _), value in self.cells.items():
            tally[item][place[value]] += 1
        return list(tally.values())

    def table(self, first: str, second: str) -> list[list[int]]:
        """How often two raters gave each pair of categories, over items that both rated."""
        place = {value: number for number, value in enumerate(self.categories)}
        pairs: Counter[tuple[int, int]] = Counter()
        for item in self.items:
            one, other = self.cells.get((item, first)), self.cells.get((item, second))
            if one is not None and other is not None:
                pairs[place[one], place[other]] += 1
        return [[pairs[row, column] for column in place.values()] for row in place.values()]


def gather(ratings: Iterable[Rating], level: Level) -> Ratings:
    """Put ratings together; for an ordinal or interval level values must be numbers.

    The same value twice is one rating.

    Raises:
        InputError: a rater gave an item two values, or a value is not the number it should be.
    """
    cells: dict[tuple[str, str], Value] = {}
    for item, rater, given in ratings:
        value = str(given) if level is Level.NOMINAL else _number(given, item, rater)
        if cells.setdefault((item, rater), value) != value:
            raise InputError(
                f"rater {rater} gave item {item} two values",
                hint="keep one rating for each item and rater",
            )
    return Ratings(cells)


def _number(value: Value, item: str, rater: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise InputError(
            f"the value rater {rater} gave item {item} is no number",
            hint="ordinal and interval values are numbers; --level nominal takes any",
        )
    return number
