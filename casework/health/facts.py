"""Facts of one day, as the store gives them, before they are summed up by group."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

#: Stands where something could have a value and has none.
UNKNOWN: Final = "unknown"
#: Whom people work for who work for no vendor.
IN_HOUSE: Final = "in-house"


#: Where regions go that are too many to tell apart, or no names.
OTHER: Final = "other"
#: Regions told apart on one day: a source that fills the field with anything must not make a
#: group of each.
MOST_REGIONS: Final = 100

_NAME: Final = re.compile(r"[\w .+-]{1,40}")


class Traits(NamedTuple):
    """What a fact is told apart by; empty where that does not apply to it."""

    queue: str = ""
    severity: str = ""
    vendor: str = ""
    region: str = ""


class Counted(NamedTuple):
    """So many of ``n`` were hits; of a count, ``n`` alone says how many.

    ``own`` is what this measure alone is told apart by: a rule, a provider, a signal. Where
    ``only`` holds the fact is in that group and in no other: several speak of the same units.
    """

    measure: str
    traits: Traits
    n: int
    hits: int = 0
    own: tuple[str, str] | None = None
    only: bool = False


class Timed(NamedTuple):
    """One length of time."""

    measure: str
    traits: Traits
    seconds: float


class Reviewed(NamedTuple):
    """One decision that was looked at again: what it stands for and what came of it."""

    traits: Traits
    stratum: Hashable  # one of the sizes
    wrong: bool
    escalated: bool
    should: bool


def told_apart(regions: Iterable[str]) -> frozenset[str]:
    """The regions that have a group of their own: names, the most frequent of them.

    Regions come from outside; reports and scrapers show them.
    """
    names = Counter(region for region in regions if _NAME.fullmatch(region))
    return frozenset(name for name, _ in names.most_common(MOST_REGIONS))


@dataclass(slots=True)
class Facts:
    """All that happened on one day, and how it stood at its end."""

    counted: list[Counted] = field(default_factory=list)
    timed: list[Timed] = field(default_factory=list)
    reviewed: list[Reviewed] = field(default_factory=list)
    sizes: dict[Hashable, int] = field(default_factory=dict)  # decisions in each stratum

    def plain(self) -> "Facts":
        """The same with the regions that are not told apart under one name."""
        every: tuple[list[Any], ...] = (self.counted, self.timed, self.reviewed)
        known = told_apart(fact.traits.region for facts in every for fact in facts)
        counted, timed, reviewed = ([_plain(fact, known) for fact in facts] for facts in every)
        return Facts(counted, timed, reviewed, self.sizes)


def _plain(fact: Any, known: frozenset[str]) -> Any:
    region = fact.traits.region
    if not region or region in known:
        return fact
    return fact._replace(traits=fact.traits._replace(region=OTHER))
