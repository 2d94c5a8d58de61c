"""Which open clocks will be missed, if work goes on at today's rate."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

_HOUR = timedelta(hours=1)


class Waiting(NamedTuple):
    """A gate that waits for its decision; ``due`` is None while it is on hold."""

    gate: str
    case: str
    queue: str
    severity: str
    opened: datetime
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Risk:
    """A gate that may be missed: its place in its queue, and the chance."""

    gate: str
    case: str
    queue: str
    severity: str
    due: datetime
    place: int
    chance: float

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return {**asdict(self), "due": self.due.isoformat(), "chance": round(self.chance, 4)}


def forecast(waiting: Iterable[Waiting], rates: Mapping[str, float], now: datetime) -> list[Risk]:
    """The chance of each gate that its decision comes too late, the likeliest first.

    A queue is worked through by severity, then by what is due first, then by age, as people are
    given their next case. ``rates`` are decisions an hour, at random moments: what has k - 1
    before it is decided in time if k decisions come before it is due, which is Poisson's to say.
    """
    from scipy.special import pdtr

    by_queue: defaultdict[str, list[Waiting]] = defaultdict(list)
    for each in waiting:
        if each.due is not None:
            by_queue[each.queue].append(each)
    risks = []
    for queue, gates in by_queue.items():
        ordered = sorted(gates, key=lambda each: (each.severity, each.due, each.opened, each.gate))
        for place, each in enumerate(ordered, start=1):
            assert each.due is not None
            expected = max(0.0, rates.get(queue, 0.0) * ((each.due - now) / _HOUR))
            chance = float(pdtr(place - 1, expected))
            risks.append(Risk(each.gate, each.case, queue, each.severity, each.due, place, chance))
    return sorted(risks, key=lambda risk: (-risk.chance, risk.severity, risk.due, risk.gate))
