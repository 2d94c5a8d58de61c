"""The population of a plan: decisions, gathered into cells of those that are alike."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from casework.canonical import canonical
from casework.qa.plans import Plan, Trait

#: What stands where a decision has no such trait.
NONE = "-"


class Cell(NamedTuple):
    """What decisions can be told apart by; a field for each trait of a plan."""

    decider: str  # machine or person
    person: str  # who decided; the machine under its own name
    vendor: str
    queue: str
    severity: str
    route: str  # where the policy had sent the case
    action: str
    rule: str
    clause: str


#: The ids of decisions by cell.
Population: TypeAlias = Mapping[Cell, list[str]]

#: Days since people and vendors began, by ``("person", id)`` and ``("vendor", name)``.
Tenures: TypeAlias = Mapping[tuple[Trait, str], float]


def traits_read(plan: Plan) -> frozenset[Trait]:
    """The traits a plan tells decisions apart by, or leaves some out by."""
    asked: dict[Trait, object] = {
        "queue": plan.queues,
        "route": plan.routes,
        "person": plan.exclusions.people,
        "rule": plan.exclusions.rules,
        "action": plan.exclusions.actions,
    }
    filters = {name for name, wanted in asked.items() if wanted}
    people: set[Trait] = {"person"} if "vendor" in plan.strata else set()
    return frozenset({*plan.strata, *filters, *people})


def belongs(plan: Plan, cell: Cell) -> bool:
    """Whether decisions of a cell are in a plan's population; its window is the store's matter."""
    left_out = plan.exclusions
    return (
        _among(cell.decider, plan.deciders)
        and _among(cell.queue, plan.queues)
        and _among(cell.route, plan.routes)
        and cell.person not in left_out.people
        and cell.rule not in left_out.rules
        and cell.action not in left_out.actions
    )


def _among(value: str, wanted: frozenset[str]) -> bool:
    return not wanted or value in wanted


def stratum_of(cell: Cell, strata: tuple[Trait, ...]) -> tuple[str, ...]:
    """The stratum a cell falls into."""
    return tuple(getattr(cell, name) for name in strata)


def population_digest(population: Population) -> str:
    """SHA-256 over every decision with its cell, the same in whatever order they were read."""
    whole = hashlib.sha256()
    for cell, ids in sorted(population.items()):
        whole.update(canonical(list(cell)))
        whole.update("\n".join(sorted(ids)).encode())
    return whole.hexdigest()
