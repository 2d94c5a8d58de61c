"""How long work waits for people, by formula: arrivals at random, a steady rate, c people (M/M/c).

Source: Erlang (1917); as in Gross, Shortle, Thompson & Harris (2008), Fundamentals of Queueing
Theory, 4th ed., section 2.3.
"""

from math import ceil, exp, inf

from casework.errors import InputError


def erlang_c(load: float, people: int) -> float:
    """The chance that work has to wait; 1 where the people cannot keep up.

    ``load`` is in erlangs: arrivals in an average handling time.

    Raises:
        InputError: there is nobody, or the load is negative.
    """
    if people < 1 or load < 0:
        raise InputError(
            f"{people} people cannot take a load of {load}", hint="both are positive numbers"
        )
    if load >= people:
        return 1.0
    blocked = 1.0  # Erlang B, by its recursion, which does not overflow
    for number in range(1, people + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / people * (1 - blocked))


def share_within(load: float, people: int, within: float) -> float:
    """The share of work that is begun within a time, in average handling times."""
    if load >= people:
        return 0.0
    return 1 - erlang_c(load, people) * exp(-(people - load) * within)


def mean_wait(load: float, people: int) -> float:
    """The average wait, in average handling times; infinite where the people cannot keep up."""
    return erlang_c(load, people) / (people - load) if load < people else inf


def people_needed(load: float, target: float, within: float) -> int:
    """The fewest people with whom a share ``target`` of the work is begun within a time.

    Raises:
        InputError: the target is not between 0 and 1.
    """
    if not 0 < target < 1:
        raise InputError(f"a target of {target} is no share", hint="between 0 and 1, such as 0.9")
    people = max(1, ceil(load))
    while share_within(load, people, within) < target:
        people += 1
    return people
