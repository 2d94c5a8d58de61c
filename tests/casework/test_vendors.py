"""How far people have come, when their access ends, and who may see whose figures."""

from datetime import UTC, datetime, timedelta

import pytest

from casework.denials import Denial, Refused
from casework.gates import Accepted, Answer, GateStatus, Person, Situation, Terms, Verdict, judge
from casework.qa.plans import Ramp
from casework.vendors import Phase, Reach, access_end, bounded, days_worked, sees

AT = datetime(2026, 3, 31, tzinfo=UTC)
RAMP = Ramp(start=0.8, floor=0.05, half_life_days=10)


def days(number: int) -> datetime:
    return AT - timedelta(days=number)


@pytest.mark.parametrize(
    ("phase", "since", "share"),
    [
        (Phase.ONBOARDING, days(300), 0.8),  # as on the first day, however long it lasts
        (Phase.RAMP, days(10), 0.05 + 0.75 / 2),
        (Phase.RAMP, days(20), 0.05 + 0.75 / 4),
        (Phase.STEADY, days(1), 0.05),
        (None, None, 0.05 + 0.75 / 8),  # since they began, thirty days ago
    ],
)
def test_a_ramp_draws_by_the_phase_and_its_first_day(
    phase: Phase | None, since: datetime | None, share: float
) -> None:
    assert RAMP.share(days_worked(phase, since, days(30), AT)) == pytest.approx(share)


def test_access_ends_with_whichever_end_is_first() -> None:
    assert access_end(None, None) is None
    assert access_end(None, days(3), days(5)) == days(5)


def test_a_vendor_sees_itself_and_we_see_all() -> None:
    assert [sees(own, "acme") for own in ("acme", "bolt", None)] == [True, False, True]


@pytest.mark.parametrize(
    ("own", "given", "seen"),
    [
        (["*"], None, {"*"}),
        (["a", "b"], None, {"a", "b"}),
        (["*"], ["a", "b"], {"a", "b"}),
        (["a", "c"], ["a", "b"], {"a"}),
        (["c"], ["a", "b"], set()),
    ],
)
def test_people_see_at_most_what_their_vendor_has_been_given(
    own: list[str], given: list[str] | None, seen: set[str]
) -> None:
    assert bounded(own, "acme", given) == Reach(frozenset(seen), "acme" if given else None)


def ruling(until: datetime | None, *, ended: bool = False) -> Accepted | Refused:
    situation = Situation(GateStatus.OPEN, "general", "policy", "e" * 64, True, (), now=AT)
    person = Person("ana", frozenset({"analyst"}), frozenset("*"), access_until=until, ended=ended)
    terms = Terms(frozenset({"analyst"}), {"warn"}, (), 1, False)
    answer = Answer(
        verdict=Verdict.APPROVE, action="warn", rationale="because", evidence_digest="e" * 64
    )
    return judge(situation, person, answer, terms)


def test_the_guard_refuses_from_the_moment_of_the_end_on() -> None:
    assert ruling(AT + timedelta(seconds=1)) == ruling(None) == Accepted(missing=0)
    refused = ruling(AT)
    assert isinstance(refused, Refused)
    assert (refused.reason, "2026-03-31 00:00 UTC" in refused.message) == (Denial.EXPIRED, True)
    assert isinstance(ruling(None, ended=True), Refused)
