"""What becomes of the rows of an intake: opened, revised, or known already. Pure."""

from collections.abc import Iterable, MutableMapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What an item did to its case."""

    OPENED = "opened"
    DUPLICATE = "duplicates"
    REVISED = "revised"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows were read, and what became of them; the last four add up to ``received``."""

    received: int = 0
    opened: int = 0
    duplicates: int = 0
    revised: int = 0
    quarantined: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Both counts together."""
        mine, theirs = self.as_dict(), other.as_dict()
        return Counts(**{name: mine[name] + theirs[name] for name in mine})

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


@dataclass(slots=True)
class Known:
    """A case as far as intake must know it: its newest revision, and every content it has had."""

    revision: int = 0
    contents: set[str] = field(default_factory=set)


def settle(
    arrivals: Iterable[tuple[str, str]], known: MutableMapping[str, Known]
) -> list[tuple[Outcome, int]]:
    """Say what each arrival, a case id and a content digest, does, and to which revision.

    Arrivals take effect in order, and ``known`` is brought up to date. Content that a case has had
    in *any* revision is a duplicate: replaying an old file must not turn a case back. A source
    that means to go back says so with a newer ``received_at``, which makes other content.
    """
    outcomes = []
    for case, content in arrivals:
        state = known.get(case)
        if state is None:
            known[case] = Known(1, {content})
            outcomes.append((Outcome.OPENED, 1))
        elif content in state.contents:
            outcomes.append((Outcome.DUPLICATE, state.revision))
        else:
            state.revision += 1
            state.contents.add(content)
            outcomes.append((Outcome.REVISED, state.revision))
    return outcomes
