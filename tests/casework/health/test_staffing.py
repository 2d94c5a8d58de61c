"""Queues by formula, by simulation, and what a target takes."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InputError
from casework.health.queueing import erlang_c, mean_wait, people_needed, share_within
from casework.health.simulation import Job, waits
from casework.health.staffing import Arrival, Demand, by_formula, staff

#: Published examples. The first are Gross, Shortle, Thompson & Harris's of M/M/3 with six arrivals
#: an hour and twenty minutes each (example 2.2: L_q 0.889); then the worked example of mitan's
#: page "The Erlang-C Formula" (48 erlangs, 55 agents: 0.239 wait, 8.2 s on average of 240 s
#: calls, 84.6 % within 15 s); then Call Centre Helper's of 10 erlangs and 14 agents (17.4 %,
#: 7.8 s on average of 180 s calls, 88.8 % within 20 s).
PUBLISHED = [
    (48.0, 55, 0.239, 8.2 / 240, 15 / 240, 0.846),
    (10.0, 14, 0.174, 7.8 / 180, 20 / 180, 0.888),
    (2.0, 3, 0.444, 0.444, 0.0, 0.556),
]


@pytest.mark.parametrize(("load", "people", "wait", "mean", "within", "share"), PUBLISHED)
def test_erlang_c_gives_the_published_values(
    load: float, people: int, wait: float, mean: float, within: float, share: float
) -> None:
    assert erlang_c(load, people) == pytest.approx(wait, abs=6e-4)
    assert mean_wait(load, people) == pytest.approx(mean, rel=0.01)
    assert share_within(load, people, within) == pytest.approx(share, abs=6e-4)


def test_people_who_cannot_keep_up_are_told_so() -> None:
    assert (erlang_c(5, 5), mean_wait(5, 5), share_within(5, 5, 9)) == (1.0, inf, 0.0)
    assert people_needed(10.0, 0.888, 20 / 180) == 14
    for wrong in (lambda: erlang_c(1, 0), lambda: people_needed(1, 1.5, 1)):
        with pytest.raises(InputError):
            wrong()


def poisson_stream(load: float, jobs: int, seed: int) -> list[Job]:
    """Arrivals at random and exponential handling times of one on average."""
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.exponential(1 / load, jobs))
    return [Job(float(a), float(h)) for a, h in zip(at, rng.exponential(1, jobs), strict=True)]


@pytest.mark.parametrize(("load", "people"), [(2.0, 3), (0.7, 1), (9.0, 11)])
def test_the_simulation_agrees_with_the_formula_where_that_holds(load: float, people: int) -> None:
    runs = [np.array(waits(poisson_stream(load, 20_000, seed=n), people)) for n in range(8)]
    for values, told in (
        ([np.mean(run > 0) for run in runs], erlang_c(load, people)),
        ([np.mean(run) for run in runs], mean_wait(load, people)),
    ):
        error = np.std(values, ddof=1) / np.sqrt(len(runs))
        assert abs(np.mean(values) - told) < 3.5 * error
        assert error < 0.1 * told


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9), st.integers(0, 2)), min_size=1),
    st.integers(1, 4),
)
def test_work_is_taken_by_urgency_by_as_many_as_there_are(
    given_jobs: list[tuple[int, int, int]], people: int
) -> None:
    jobs = [Job(float(at), float(handling), rank) for at, handling, rank in given_jobs]
    starts = [job.at + wait for job, wait in zip(jobs, waits(jobs, people), strict=True)]
    for moment in starts:
        busy = sum(s <= moment < s + j.handling for s, j in zip(starts, jobs, strict=True))
        assert busy <= people
    for one, start in zip(jobs, starts, strict=True):
        assert start >= one.at
        for other, begins in zip(jobs, starts, strict=True):
            assert not (other.at < start < begins and other.rank < one.rank)


def demand(*, is_touch: bool = True, load: float = 6.0, target: float = 0.5) -> Demand:
    jobs = poisson_stream(load, 4_000, seed=5)
    return Demand(
        arrivals=[Arrival(job.at, 2, target) for job in jobs],
        handlings=[job.handling for job in jobs],
        length=jobs[-1].at,
        is_touch=is_touch,
    )


def test_a_target_takes_as_many_as_the_formula_says_of_a_steady_stream() -> None:
    asked = demand()
    people, outcomes = staff(asked, 0.9, seed=1)
    assert abs(people - by_formula(asked, 0.9, 0.5)) <= 1
    met = {each.people: each.met for each in outcomes}
    assert met[people] >= 0.9 > met[people - 1]
    assert sorted(met.values()) == list(met.values())
    assert staff(asked, 0.9, seed=1) == (people, outcomes)


def test_a_target_that_nobody_can_meet_is_refused() -> None:
    with pytest.raises(InputError, match="some take longer"):
        staff(demand(is_touch=False, target=0.01, load=1.0), 0.9, seed=1)
    with pytest.raises(InputError, match="10"):
        staff(Demand([Arrival(0.0, 1, 1.0)], [1.0], 1.0, True), 0.9, seed=1)
    with pytest.raises(InputError, match="nothing came"):
        staff(Demand([], [1.0], 1.0, True), 0.9, seed=1)
