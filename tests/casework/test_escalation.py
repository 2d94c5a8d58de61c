"""Ladders: what is due when, that a missed hour changes nothing, and that nothing decides."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.cases import Severity
from casework.clocks.calendars import ALWAYS
from casework.clocks.ladders import Ladder, Step, StepKind
from casework.clocks.model import Clock, ClockKind
from casework.clocks.promises import Promise
from casework.effects import EffectKind
from casework.escalation import (
    ACTIONS,
    Due,
    Rungs,
    climbed,
    due_steps,
    effect_of,
    next_moment,
    offered,
    simulate,
    step_key,
    unsaid,
)
from casework.ledger.entries import Action
from casework.policy.bundle import load_bundle
from casework.resources import resource
from tests.factories.clocks import MINUTE, clocks
from tests.factories.escalation import HOUR, timed_bundle
from tests.factories.gates import NOW

DECISION = ClockKind.DECISION


def taken_by(clock: Clock, ladder: Ladder, sweeps: list[datetime]) -> list[str]:
    """The steps that sweeps at these times take."""
    promise, taken = Promise({DECISION: clock.target}, clock.calendar, ladder), []
    for now in sweeps:
        taken += [due.step.id for due in due_steps(promise, DECISION, clock, taken, now)]
    return taken


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """A ladder of some steps."""
    steps = []
    for number in range(draw(st.integers(0, 5))):
        kind, percent = draw(st.sampled_from(list(StepKind))), draw(st.integers(0, 200))
        after = draw(st.one_of(st.none(), st.integers(1, 600).map(lambda n: n * MINUTE)))
        steps.append(Step(f"s{number}", kind, DECISION, percent, after, "somewhere"))
    return Ladder("any", tuple(steps))


@given(clocks(), ladders(), st.lists(st.integers(0, 6000), max_size=6).map(sorted))
def test_whenever_the_sweep_comes_by_each_step_is_taken_once_and_in_order(
    clock: Clock, ladder: Ladder, minutes: list[int]
) -> None:
    sweeps = [clock.started_at + number * MINUTE for number in minutes]
    often, late = taken_by(clock, ladder, sweeps), taken_by(clock, ladder, sweeps[-1:])
    assert often == late
    assert len(set(often)) == len(often)


@given(clocks(), ladders(), st.integers(0, 6000))
def test_after_a_sweep_the_next_moment_is_yet_to_come(
    clock: Clock, ladder: Ladder, minutes: int
) -> None:
    now = clock.started_at + minutes * MINUTE
    promise = Promise({DECISION: clock.target}, clock.calendar, ladder)
    taken = [due.step.id for due in due_steps(promise, DECISION, clock, (), now)]
    moment = next_moment(promise, DECISION, clock, taken, breached=True)
    assert moment is None or moment > now
    if moment is not None:
        assert due_steps(promise, DECISION, clock, taken, moment), "it was worth looking then"
        assert not due_steps(promise, DECISION, clock, taken, moment - timedelta(microseconds=1))


def test_a_breach_is_looked_for_just_after_the_due_date() -> None:
    clock = Clock(ALWAYS, HOUR, NOW)
    promise = Promise({DECISION: HOUR})
    look = next_moment(promise, DECISION, clock, (), breached=False)
    assert look == NOW + HOUR + timedelta(microseconds=1)
    assert next_moment(promise, DECISION, clock, (), breached=True) is None


@given(
    st.sampled_from(["general", "legal", "mixed"]),
    st.sampled_from(list(Severity)),
    st.booleans(),
    st.sampled_from(list(StepKind)),
    st.sampled_from(["general", "legal", "mixed"]),
    st.sampled_from(list(Severity)),
)
def test_no_step_makes_less_severe_unlocks_or_needs_fewer_people(
    queue: str, severity: Severity, locked: bool, kind: StepKind, to: str, level: Severity
) -> None:
    bundle = timed_bundle()
    step = Step("s", kind, to=str(level) if kind is StepKind.RAISE else to)
    before = Rungs(queue, str(severity), locked)
    after = climbed(before, step, bundle)
    assert after.severity <= before.severity
    assert after.locked >= before.locked
    assert bundle.queues[after.queue].approvals >= bundle.queues[before.queue].approvals
    if kind in (StepKind.REMIND, StepKind.PAGE):
        assert after == before


def test_no_step_is_an_answer() -> None:
    deciding = {Action.GATE_ANSWERED, Action.GATE_DECIDED, Action.CASE_CLOSED}
    assert set(ACTIONS) == set(StepKind)
    assert deciding.isdisjoint(ACTIONS.values())
    assert set(Rungs.__dataclass_fields__) == {"queue", "severity", "locked"}


def test_a_severity_is_raised_by_one_or_to_the_one_that_is_named() -> None:
    bundle = timed_bundle()
    up, top = Step("s", StepKind.RAISE), Step("s", StepKind.RAISE, to="P0")
    assert climbed(Rungs("general", "P3"), up, bundle).severity == "P2"
    assert climbed(Rungs("general", "P3"), top, bundle).severity == "P0"
    assert climbed(Rungs("general", "P0"), up, bundle).severity == "P0"


def test_of_messages_that_say_the_same_by_the_same_way_the_last_is_sent() -> None:
    def due(kind: StepKind, to: str | None) -> Due:
        return Due(NOW, DECISION, Step("s", kind, to=to))

    steps = [
        due(StepKind.REMIND, "chat"),
        due(StepKind.PAGE, "on_call"),
        due(StepKind.RAISE, None),
        due(StepKind.REMIND, "chat"),
        due(StepKind.RAISE, None),
        due(StepKind.REMIND, "mail"),
    ]
    assert unsaid(steps) == {0}


def test_a_step_sends_what_its_kind_says_under_a_key_of_its_clock() -> None:
    key = step_key("g1", DECISION, NOW, "page")
    effect = effect_of(key, "c1", Step("page", StepKind.PAGE, to="on_call"), {"gate": "g1"})
    assert (effect.kind, effect.destination, effect.case_id) == (EffectKind.PAGE, "on_call", "c1")
    assert effect.key == "g1:decision:2026-03-02T09:30:00.000000Z:page"
    assert step_key("g1", DECISION, NOW + HOUR, "page") != key, "a clock started anew"


def test_a_simulation_shows_each_step_with_its_moment_and_what_it_leads_to() -> None:
    told = simulate(timed_bundle(), "general", "P0", NOW)
    assert [(rung.step, (rung.moment - NOW) / MINUTE) for rung in told] == [
        ("page", 0),
        ("untouched", 15),
        ("half", 30),
        ("overdue", 60),
        ("locked", 120),
    ]
    assert [(rung.queue, rung.locked) for rung in told[2:4]] == [
        ("general", False),
        ("mixed", False),
    ]
    assert told[-1].locked


@pytest.mark.parametrize("level", list(Severity))
def test_every_ladder_of_the_default_bundle_climbs_without_an_end_in_nothing(
    level: Severity,
) -> None:
    bundle = load_bundle(resource("policies/default"))
    for queue in bundle.queues:
        told = simulate(bundle, queue, level, NOW)
        assert told, (queue, level)
        assert [rung.moment for rung in told] == sorted(rung.moment for rung in told)


@pytest.mark.parametrize(
    ("rungs", "proposed", "offers"),
    [
        (Rungs("general", "P0"), "suspend", True),
        (Rungs("general", "P0"), None, False),
        (Rungs("general", "P0"), "ban", False),
        (Rungs("mixed", "P0"), "no_action", True),
        (Rungs("mixed", "P0"), "ban", False),
        (Rungs("legal", "P0"), "no_action", False),
        (Rungs("general", "P0", locked=True), "suspend", False),
    ],
    ids=[
        "one person suffices",
        "nothing is proposed",
        "the queue does not take it",
        "another queue",
        "the action takes two",
        "the queue takes two",
        "a lead must answer",
    ],
)
def test_a_message_offers_a_press_only_where_one_person_may_answer(
    rungs: Rungs, proposed: str | None, offers: bool
) -> None:
    told = {"action": proposed, "evidence": "e" * 64} if offers else {}
    assert offered(rungs, proposed, "e" * 64, timed_bundle()) == told
