"""Which clocks will be missed, against work that is simulated decision by decision."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from casework.health.forecast import Waiting, forecast

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def waiting(name: str, severity: str, due: float | None, queue: str = "general") -> Waiting:
    moment = None if due is None else NOW + due * HOUR
    return Waiting(name, f"c-{name}", queue, severity, NOW - HOUR, moment)


def test_chances_are_those_of_simulated_work() -> None:
    gates = [waiting("a", "P2", 1), waiting("b", "P0", 3), waiting("c", "P2", 2)]
    chances = {risk.gate: risk.chance for risk in forecast(gates, {"general": 1.2}, NOW)}
    rng = np.random.default_rng(3)
    done = np.cumsum(rng.exponential(1 / 1.2, (20_000, 3)), axis=1)
    for place, (gate, due) in enumerate([("b", 3), ("a", 1), ("c", 2)]):
        missed = float(np.mean(done[:, place] > due))
        assert chances[gate] == pytest.approx(missed, abs=0.012)


def test_what_stands_still_takes_no_place_and_what_is_overdue_is_certain() -> None:
    gates = [
        waiting("held", "P0", None),
        waiting("late", "P1", -1),
        waiting("soon", "P2", 5),
        waiting("other", "P2", 5, queue="legal"),
    ]
    risks = {risk.gate: risk for risk in forecast(gates, {"general": 2.0}, NOW)}
    assert "held" not in risks
    assert (risks["late"].chance, risks["late"].place, risks["soon"].place) == (1.0, 1, 2)
    assert risks["other"].chance == 1.0, "nobody decides there"
