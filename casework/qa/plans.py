"""QA plans, as a policy bundle declares them: what is drawn, how much of it, and who looks."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from casework.canonical import digest
from casework.cases import Route
from casework.gates import Role

#: What decisions can be told apart by.
Trait: TypeAlias = Literal[
    "decider", "person", "vendor", "queue", "severity", "route", "action", "rule", "clause"
]
Prose: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """The common strictness: no key that is not declared; nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Method(StrEnum):
    """How a sample is shared out among strata."""

    PROPORTIONAL = "proportional"  # by how many there are
    NEYMAN = "neyman"  # by how many there are and how much they vary
    FIXED = "fixed"  # the same number from each


class Allocation(Part):
    """How many are drawn: ``size`` in all, or ``size`` of each stratum where it is fixed.

    ``earlier_rounds`` of the plan tell Neyman's method the rates of its strata; there the expected
    rate counts for as much as ``prior_looks`` decisions that were looked at.

    ``per_stratum`` and ``per_person`` are the least of each stratum, and of each of a person's;
    two of a stratum is the least from which its variance can be told.
    """

    method: Method = Method.PROPORTIONAL
    size: int = Field(ge=1, le=1_000_000, strict=True)
    per_stratum: int = Field(2, ge=1, strict=True)
    per_person: int = Field(0, ge=0, strict=True)
    earlier_rounds: int = Field(0, ge=0, le=100, strict=True)
    prior_looks: float = Field(20.0, gt=0)


class Ramp(Part):
    """New people are looked at more: a share that halves every so many days, down to a floor."""

    start: Share
    floor: Share = 0.0
    half_life_days: float = Field(gt=0)

    def share(self, days: float) -> float:
        """The share of their decisions to draw from somebody who began so many days ago."""
        halvings = max(0.0, days) / self.half_life_days
        return self.floor + (self.start - self.floor) * float(0.5**halvings)


class Exclusions(Part):
    """What is left out of the population, and so of everything that is concluded about it."""

    people: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()


class Overlap(Part):
    """A share of the sample that several reviewers see, each on their own."""

    reviewers: int = Field(2, ge=2, le=10, strict=True)
    share: Share = 0.0


class Plan(Part):
    """qa.yaml, by plan. An empty list of queues, routes or deciders means all of them."""

    title: Prose
    window_days: int = Field(ge=1, le=3660, strict=True)
    deciders: frozenset[Literal["machine", "person"]] = frozenset()
    queues: frozenset[str] = frozenset()
    routes: frozenset[Route] = frozenset()
    exclusions: Exclusions = Exclusions()
    strata: tuple[Trait, ...] = ()
    allocation: Allocation
    ramp: Ramp | None = None
    risk: dict[Trait, dict[str, Annotated[float, Field(gt=0)]]] = Field(default_factory=dict)
    expected_error: Share = 0.05
    expected_errors: dict[Trait, dict[str, Share]] = Field(default_factory=dict)
    overlap: Overlap = Overlap()
    golden: Share = 0.0
    minutes: float = Field(5.0, gt=0)  # of a reviewer for each decision
    reviewers: frozenset[Role] = frozenset({Role.QA, Role.LEAD})
    adjudicators: frozenset[Role] = frozenset({Role.LEAD})

    def digest(self) -> str:
        """SHA-256 over all that the plan says."""
        return digest(self.document())

    def document(self) -> dict[str, object]:
        """The plan as plain JSON; what has no order is sorted, so that it is always the same."""
        return {name: _plain(value) for name, value in self}


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return {name: _plain(each) for name, each in value}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(str(each) for each in value)
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value


class ErrorClass(Part):
    """taxonomy.yaml, by class of error."""

    title: Prose
    description: Prose


#: The classes of errors where a bundle names none of its own.
TAXONOMY: Final[Mapping[str, ErrorClass]] = {
    name: ErrorClass(title=title, description=description)
    for name, title, description in (
        ("false_positive", "False positive", "Something was done that should not have been."),
        ("false_negative", "False negative", "Nothing was done where something should have been."),
        ("wrong_policy", "Wrong policy", "The decision rests on a clause that does not apply."),
        ("wrong_severity", "Wrong severity", "What was done was too harsh or too mild."),
        ("wrong_escalation", "Wrong escalation", "Handed over needlessly, not at all, or amiss."),
        ("process", "Process", "The outcome stands; the way to it did not follow the playbook."),
        (
            "documentation",
            "Documentation",
            "The outcome stands; its reasons were not written down.",
        ),
    )
}
