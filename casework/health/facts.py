"""Facts of one day, as the store gives them, before they are summed up by group."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

#: Stands where something could have a value and has none.
UNKNOWN: Final = "unknown"
#: Whom people work for who work for no vendor.
IN_HOUSE: Final = "in-house"


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


@dataclass(slots=True)
class Facts:
    """All that happened on one day, and how it stood at its end."""

    counted: list[Counted] = field(default_factory=list)
    timed: list[Timed] = field(default_factory=list)
    reviewed: list[Reviewed] = field(default_factory=list)
    sizes: Mapping[Hashable, int] = field(default_factory=dict)  # decisions in each stratum
