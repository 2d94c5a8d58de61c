"""Populations of made-up decisions, cell by cell."""

from hashlib import sha256
from typing import Any

from casework.qa.plans import Plan
from casework.qa.population import NONE, Cell, Population


def cell(**traits: str) -> Cell:
    """A cell of these traits and no others."""
    return Cell(**{**dict.fromkeys(Cell._fields, NONE), **traits})


def population(*cells: tuple[Cell, int]) -> Population:
    """So many decisions in each cell, with ids like the real ones."""
    return {
        each: [sha256(f"{each}{number}".encode()).hexdigest()[:32] for number in range(size)]
        for each, size in cells
    }


def plan(**fields: Any) -> Plan:
    """A plan over one day that draws ten, unless told otherwise."""
    given = {"title": "A plan", "window_days": 1, "allocation": {"size": 10}, **fields}
    return Plan.model_validate(given)
