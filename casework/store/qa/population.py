"""Reading the population of a QA plan: a million decisions as cells of those that are alike."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, null, select
from sqlmodel import Session, col

from casework.cases import Route
from casework.gates import ActorKind, GateStatus
from casework.qa.plans import Plan, Trait
from casework.qa.population import (
    NONE,
    Cell,
    Population,
    Tenures,
    belongs,
    traits_read,
)
from casework.qa.sampling import Experience
from casework.store.tables import Case, Decision, Gate, Person


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which decisions were taken; its end is not in it."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """What a sample is drawn from: the population, and since how many days people have worked."""

    window: Window
    population: Population
    tenures: Tenures
    experience: Experience = field(default_factory=dict)


def window_of(plan: Plan, closes: datetime) -> Window:
    """The window of a plan that ends at a time."""
    return Window(closes - timedelta(days=plan.window_days), closes)


def read_frame(session: Session, plan: Plan, window: Window) -> Frame:
    """Read everything a plan's sample is drawn from.

    A decision is what came of a case at one point: the machine's to close it or to hand it to a
    partner, and each person's answer at a gate that is decided. The machine's to send a case to
    review is none: the answer at that gate is.
    """
    vendors, tenures = _people(session, window.closes)
    cells: defaultdict[Cell, list[str]] = defaultdict(list)
    if plan.deciders != {"person"}:
        for key, ids in _alike(session, _by_machine(plan, window)).items():
            cells[_cell("machine", NONE, key)] += ids
    if plan.deciders != {"machine"}:
        for key, ids in _alike(session, _by_people(plan, window)).items():
            cells[_cell("person", vendors.get(key[0], NONE), key)] += ids
    kept = {cell: ids for cell, ids in cells.items() if belongs(plan, cell)}
    return Frame(window, kept, tenures)


def _people(session: Session, at: datetime) -> tuple[dict[str, str], Tenures]:
    """Whom people work for, and the days since they, and the first of each vendor, were added."""
    vendors: dict[str, str] = {}
    tenures: dict[tuple[Trait, str], float] = {}
    columns = (col(Person.id), col(Person.vendor), col(Person.added_at))
    for person, vendor, added_at in session.execute(select(*columns)):
        days = (at - added_at) / timedelta(days=1)
        tenures["person", person] = days
        if vendor is not None:
            vendors[person] = vendor
            tenures["vendor", vendor] = max(days, tenures.get(("vendor", vendor), days))
    return vendors, tenures


def _columns(plan: Plan, traits: Mapping[Trait, Any]) -> list[Any]:
    """A column for each trait but decider and vendor; NULL, which costs less, if nobody asks."""
    asked = traits_read(plan)
    return [col(column) if trait in asked else null() for trait, column in traits.items()]


def _by_machine(plan: Plan, window: Window) -> Select[tuple[Any, ...]]:
    traits: dict[Trait, Any] = {
        "person": Decision.actor,
        "queue": Decision.queue,
        "severity": Decision.severity,
        "route": Decision.verdict,
        "action": Decision.action,
        "rule": Decision.rule_id,
        "clause": Decision.clause,
    }
    return select(col(Decision.id), *_columns(plan, traits)).where(
        col(Decision.decided_at) >= window.opens,
        col(Decision.decided_at) < window.closes,
        col(Decision.actor_kind) == ActorKind.MACHINE,
        col(Decision.verdict).in_([Route.CLOSE, Route.ESCALATE]),
    )


def _by_people(plan: Plan, window: Window) -> Select[tuple[Any, ...]]:
    traits: dict[Trait, Any] = {
        "person": Decision.actor,
        "queue": Gate.queue,
        "severity": Decision.severity,
        "route": Case.route,
        "action": Decision.action,
        "rule": Case.rule_id,
        "clause": Decision.clause,
    }
    return (
        select(col(Decision.id), *_columns(plan, traits))
        .join(Gate, col(Gate.id) == col(Decision.gate_id))
        .join(Case, col(Case.id) == col(Decision.case_id))
        .where(
            col(Decision.decided_at) >= window.opens,
            col(Decision.decided_at) < window.closes,
            col(Decision.actor_kind) != ActorKind.MACHINE,
            col(Gate.status).in_([GateStatus.DECIDED, GateStatus.CARRIED_OUT]),
        )
    )


def _alike(
    session: Session, statement: Select[tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[str]]:
    """The ids in the first column, by all the others.

    Read from the driver's own cursor: SQLAlchemy's rows would double the time of a million.
    """
    found: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    rows: Iterable[tuple[Any, ...]] = session.connection().execute(statement).cursor  # type: ignore[assignment]
    for row in rows:
        found[row[1:]].append(row[0])
    return found


def _cell(decider: str, vendor: str, key: tuple[Any, ...]) -> Cell:
    person, *rest = (NONE if value is None else value for value in key)
    return Cell(decider, person, vendor, *rest)
