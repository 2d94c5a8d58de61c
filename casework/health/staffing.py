"""How many people a target takes: the real stream, simulated with the real handling times."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, NamedTuple

from casework.errors import InputError
from casework.health.queueing import people_needed
from casework.health.rows import percentile
from casework.health.simulation import Job, waits

#: Streams simulated for each number of people; handling times are drawn anew for each.
RUNS: Final = 20
#: Fewer handling times than this say little about the next one.
FEWEST_HANDLINGS: Final = 10
#: More people than this are not tried.
MOST_PEOPLE: Final = 2_000


class Arrival(NamedTuple):
    """Something to decide: when it came, how urgent it is, and what was promised; in seconds.

    Times are business time of the queue's calendar since the window began.
    """

    at: float
    rank: int
    target: float


@dataclass(frozen=True, slots=True)
class Demand:
    """What a queue was asked for in a window, and how long people took for each."""

    arrivals: Sequence[Arrival]
    handlings: Sequence[float]  # seconds
    length: float  # of the window, in seconds of business time
    is_touch: bool  # whether the promise is of the first touch, not of the decision

    @property
    def load(self) -> float:
        """Erlangs: people kept busy on average."""
        return len(self.arrivals) * self.handling / self.length

    @property
    def handling(self) -> float:
        """The average handling time, in seconds."""
        return sum(self.handlings) / len(self.handlings)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What so many people at once would have come to, over all runs."""

    people: int
    met: float
    lowest: float
    highest: float
    wait_p50: float
    wait_p90: float
    busy: float


def staff(demand: Demand, target: float, seed: int) -> tuple[int, list[Outcome]]:
    """The fewest people at once who meet a target, and what one or two more or fewer come to.

    Raises:
        InputError: the target is no share, or there is too little to simulate.
    """
    _check(demand, target)
    least = max(1, ceil(demand.load))
    tried: dict[int, Outcome] = {}

    def outcome(people: int) -> Outcome:
        if people not in tried:
            tried[people] = _outcome(demand, people, seed)
        return tried[people]

    most = least
    while outcome(most).met < target:
        if most >= MOST_PEOPLE:
            raise InputError(
                f"no number of people meets {target:.0%}: some take longer than was promised",
                hint="give a lower target, or a longer --within",
            )
        least, most = most + 1, min(MOST_PEOPLE, most * 2)
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if outcome(middle).met >= target else (middle + 1, most)
    return most, [outcome(n) for n in range(max(1, most - 2), most + 3)]


def by_formula(demand: Demand, target: float, within: float) -> int:
    """What Erlang C says of the same: for steady arrivals and first touches it should agree."""
    return people_needed(demand.load, target, within / demand.handling)


def _check(demand: Demand, target: float) -> None:
    if not 0 < target < 1:
        raise InputError(f"a target of {target} is no share", hint="between 0 and 1, such as 0.9")
    if not demand.arrivals:
        raise InputError("nothing came to this queue in the window", hint="give more --days")
    if len(demand.handlings) < FEWEST_HANDLINGS:
        raise InputError(
            f"{len(demand.handlings)} handling times are known, of {FEWEST_HANDLINGS} it takes",
            hint="give more --days, or an average with --handling",
        )


def _outcome(demand: Demand, people: int, seed: int) -> Outcome:
    shares: list[float] = []
    waited: list[float] = []
    # NumPy takes a while to import, and most commands simulate nothing.
    import numpy as np

    rng = np.random.default_rng(seed)  # the same draws for each number of people
    for _ in range(RUNS):
        drawn: Any = rng.choice(np.asarray(demand.handlings), len(demand.arrivals))
        jobs = [Job(a.at, float(h), a.rank) for a, h in zip(demand.arrivals, drawn, strict=True)]
        spent = waits(jobs, people)
        waited += spent
        kept = [
            wait + (0.0 if demand.is_touch else job.handling) <= arrival.target
            for wait, job, arrival in zip(spent, jobs, demand.arrivals, strict=True)
        ]
        shares.append(sum(kept) / len(kept))
    waited.sort()
    p50, p90 = percentile(waited, 50), percentile(waited, 90)
    met = sum(shares) / RUNS
    return Outcome(people, met, min(shares), max(shares), p50, p90, demand.load / people)
