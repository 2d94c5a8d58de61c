"""What the demo shows of a ladder, read back from the ledger."""

import pytest
from sqlalchemy import Engine

from deployments.cli.climbing import climb_a_ladder
from tests.factories.escalation import MINUTE, gate_of, timed_case
from tests.factories.gates import NOW


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_most_urgent_gate_climbs_and_no_other_does(engine: Engine) -> None:
    assert climb_a_ladder(engine) == []
    other = timed_case(engine, "T-1", severity="P1")
    gate = timed_case(engine, "T-2")
    told = climb_a_ladder(engine)
    assert [(row["entry"], row["step"]) for row in told if row["step"]] == [
        ("gate.paged", "page"),
        ("gate.reminded", "untouched"),
        ("gate.reminded", "half"),
        ("gate.reassigned", "overdue"),
        ("gate.locked", "locked"),
    ]
    moved = next(row for row in told if row["entry"] == "gate.reassigned")
    assert moved["what"]["to"] == gate_of(engine, gate).queue == "mixed"
    assert (moved["at"] - NOW) // MINUTE == 60
    assert gate_of(engine, other).queue == "general"
    assert climb_a_ladder(engine, gate) == told, "nothing is taken twice"
