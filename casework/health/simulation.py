"""Work that waits for people, simulated job by job: any stream, any handling times, by urgency."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush, heapreplace
from typing import NamedTuple

from casework.errors import InputError


class Job(NamedTuple):
    """One piece of work: when it comes, how long it takes somebody, and how urgent it is.

    Times are seconds of any clock. Less ``rank`` is more urgent.
    """

    at: float
    handling: float
    rank: int = 0


def waits(jobs: Sequence[Job], people: int) -> list[float]:
    """How long each job waits until somebody begins it, in the order given.

    Whoever is free takes the most urgent job that is there, then the oldest; nobody puts one down
    for another.

    Raises:
        InputError: there is nobody.
    """
    if people < 1:
        raise InputError("nobody is there to do the work", hint="simulate one at the least")
    order = sorted(range(len(jobs)), key=lambda place: jobs[place].at)
    found, here = [0.0] * len(jobs), 0
    free = [0.0] * people
    heapify(free)
    there: list[tuple[int, float, int]] = []
    clock = 0.0
    while here < len(order) or there:
        clock = max(clock, free[0])
        if not there:
            clock = max(clock, jobs[order[here]].at)
        while here < len(order) and jobs[order[here]].at <= clock:
            job = jobs[order[here]]
            heappush(there, (job.rank, job.at, order[here]))
            here += 1
        _, at, place = heappop(there)
        found[place] = clock - at
        heapreplace(free, clock + jobs[place].handling)
    return found
