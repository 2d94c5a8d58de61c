"""Who has a gate: one at a time, for a time, and all of it in the history."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.assignment import HoldReason
from casework.errors import CaseworkError, Conflict, Denied
from casework.store.assignment import (
    assign,
    claim,
    hand_over,
    hold,
    release,
    resume,
    run_out,
)
from casework.store.engine import transaction
from casework.store.tables import Assignment
from tests.factories.escalation import (
    HOUR,
    LEASE,
    MINUTE,
    actions,
    add_everybody,
    assignment_at,
    clocks_of,
    gate_of,
    person,
    timed_case,
    told,
)
from tests.factories.gates import BY, NOW, answer


@pytest.fixture
def gate(engine: Engine) -> str:
    """A gate in the general queue, and people."""
    add_everybody(engine)
    return timed_case(engine, severity="P2")


def claimed(
    engine: Engine, gate: str, who: str, at: datetime = NOW, *, take_over: bool = False
) -> Assignment:
    with transaction(engine) as session:
        return claim(session, gate, LEASE, person(who), at, take_over=take_over)


def held_for(
    engine: Engine, gate: str, reason: HoldReason, until: timedelta, at: datetime = NOW
) -> None:
    with transaction(engine) as session:
        hold(session, gate, reason, NOW + until, LEASE, person("ana"), at)


def swept(engine: Engine, at: datetime) -> dict[str, int]:
    with transaction(engine) as session:
        return run_out(session, BY, at)


def test_a_claim_lasts_for_its_lease_and_can_be_renewed(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    kept = claimed(engine, gate, "ana", NOW + 20 * MINUTE)
    assert (kept.holder, kept.lease_until) == ("ana", NOW + 50 * MINUTE)
    assert (kept.first_claimed_at, kept.last_claimed_at) == (NOW, NOW + 20 * MINUTE)
    assert actions(engine, gate) == ["gate.claimed", "gate.claimed"]
    assert clocks_of(engine, gate)["first_touch"].ended_at == NOW


def test_of_two_people_who_claim_at_once_one_wins_and_the_other_is_told_who(
    engine: Engine, gate: str
) -> None:
    def attempt(who: str) -> Assignment | CaseworkError:
        try:
            return claimed(engine, gate, who)
        except CaseworkError as refusal:
            return refusal

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(attempt, ["ana", "ben"]))
    [won] = [each for each in results if isinstance(each, Assignment)]
    [lost] = [each for each in results if isinstance(each, Conflict)]
    assert lost.reason == "held"
    assert lost.message == f"{won.holder} has this gate"
    assert actions(engine, gate) == ["gate.claimed"]


def test_a_claim_that_has_run_out_keeps_nobody_off(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    with pytest.raises(Conflict, match="ana has this gate"):
        claimed(engine, gate, "ben", NOW + 29 * MINUTE)
    assert claimed(engine, gate, "ben", NOW + 30 * MINUTE).holder == "ben"


def test_only_the_holder_or_a_lead_answers_while_a_claim_lasts(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    with pytest.raises(Conflict, match="ana has this gate") as refusal:
        answer_gate(engine, gate, "ben", answer(), now=NOW + MINUTE)
    assert refusal.value.reason == "held"
    assert actions(engine, gate)[-1] == "gate.denied"
    assert answer_gate(engine, gate, "lou", answer(), now=NOW + MINUTE).decided


def test_the_holder_answers_and_has_the_gate_no_longer(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    assert answer_gate(engine, gate, "ana", answer(), now=NOW + MINUTE).decided
    kept = assignment_at(engine, gate)
    assert (kept.holder, kept.next_at, kept.first_claimed_at) == (None, None, NOW)


def test_after_the_first_of_two_answers_the_second_person_is_not_kept_off(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine, queue="legal", severity="P2")
    claimed(engine, gate, "lea")
    assert answer_gate(engine, gate, "lea", answer(action="ban"), now=NOW).missing == 1
    assert answer_gate(engine, gate, "leo", answer(action="ban"), now=NOW).decided


def test_a_lead_takes_over_only_where_they_say_so(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    with pytest.raises(Conflict, match="a lead may take it over"):
        claimed(engine, gate, "lou")
    assert claimed(engine, gate, "lou", take_over=True).holder == "lou"
    [_, (_, data)] = [each for each in told(engine, gate) if each[0] == "gate.claimed"]
    assert data["before"] == "ana"


def test_a_release_frees_the_gate_and_only_its_holder_or_a_lead_may(
    engine: Engine, gate: str
) -> None:
    claimed(engine, gate, "ana")
    with (
        pytest.raises(Denied, match="ana has this gate; its holder or a lead"),
        transaction(engine) as session,
    ):
        release(session, gate, person("ben"), NOW)
    with transaction(engine) as session:
        release(session, gate, person("ana"), NOW)
    assert claimed(engine, gate, "ben").holder == "ben"
    assert told(engine, gate)[2] == (
        "gate.released",
        {"gate": gate, "person": "ana", "because": "released"},
    )


def test_an_assignment_lasts_until_somebody_says_otherwise(engine: Engine, gate: str) -> None:
    with transaction(engine) as session:
        assign(session, gate, "ana", person("lou"), NOW)
    assert swept(engine, NOW + timedelta(days=30)) == {"released": 0, "resumed": 0}
    with pytest.raises(Conflict, match="ana has this gate"):
        claimed(engine, gate, "ben", NOW + timedelta(days=30))
    kept = claimed(engine, gate, "ana", NOW + HOUR)
    assert (kept.assigned_at, kept.lease_until) == (NOW, None)
    assert told(engine, gate)[1] == (
        "gate.assigned",
        {"gate": gate, "person": "ana", "before": None},
    )


def test_who_may_not_answer_is_not_assigned(engine: Engine, gate: str) -> None:
    for who, reason in (("aud", "role"), ("cleo", "queue"), ("nobody", "unknown_person")):
        with pytest.raises(Denied) as refusal, transaction(engine) as session:
            assign(session, gate, who, person("lou"), NOW)
        assert refusal.value.reason == reason


def test_a_hold_for_somebody_outside_stops_the_clocks_until_it_is_resumed(
    engine: Engine, gate: str
) -> None:
    claimed(engine, gate, "ana")
    held_for(engine, gate, HoldReason.REPORTER, 8 * HOUR, NOW + 10 * MINUTE)
    kept, clock = assignment_at(engine, gate), clocks_of(engine, gate)["decision"]
    assert (kept.hold_reason, kept.follow_up_at) == ("reporter", NOW + 8 * HOUR)
    assert kept.lease_until == NOW + 8 * HOUR + LEASE, "who waits keeps what they wait for"
    assert (clock.state, clock.due_at) == ("stopped", None)
    with transaction(engine) as session:
        resume(session, gate, person("ana"), NOW + 3 * HOUR)
    clock = clocks_of(engine, gate)["decision"]
    assert (clock.state, clock.due_at) == ("running", NOW + 6 * HOUR + 50 * MINUTE)
    assert actions(engine, gate) == ["gate.claimed", "gate.held", "gate.resumed"]


def test_a_hold_for_our_own_work_does_not_stop_the_clocks(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    held_for(engine, gate, HoldReason.COLLEAGUE, 8 * HOUR)
    assert clocks_of(engine, gate)["decision"].due_at == NOW + 4 * HOUR
    assert told(engine, gate)[-1][1]["stops"] is False


def test_a_hold_for_another_reason_takes_the_place_of_the_first(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    held_for(engine, gate, HoldReason.VENDOR, 8 * HOUR)
    held_for(engine, gate, HoldReason.COLLEAGUE, 9 * HOUR, NOW + HOUR)
    clock = clocks_of(engine, gate)["decision"]
    assert (clock.state, clock.due_at) == ("running", NOW + 5 * HOUR)


def test_no_hold_outlives_its_follow_up_date(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    held_for(engine, gate, HoldReason.VENDOR, 8 * HOUR)
    assert swept(engine, NOW + 8 * HOUR - MINUTE) == {"released": 0, "resumed": 0}
    assert swept(engine, NOW + 8 * HOUR) == {"released": 0, "resumed": 1}
    assert assignment_at(engine, gate).holder == "ana"
    assert clocks_of(engine, gate)["decision"].due_at == NOW + 12 * HOUR
    assert swept(engine, NOW + 9 * HOUR) == {"released": 1, "resumed": 0}
    assert swept(engine, NOW + 9 * HOUR) == {"released": 0, "resumed": 0}
    assert actions(engine, gate)[2:] == ["gate.resumed", "gate.released"]


def test_what_is_given_back_while_on_hold_runs_on(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    held_for(engine, gate, HoldReason.VENDOR, 8 * HOUR)
    with transaction(engine) as session:
        release(session, gate, person("ana"), NOW + HOUR)
    assert clocks_of(engine, gate)["decision"].state == "running"
    assert assignment_at(engine, gate).hold_reason is None


def test_a_partner_has_the_gate_while_owner_and_clock_stay(engine: Engine, gate: str) -> None:
    claimed(engine, gate, "ana")
    due = clocks_of(engine, gate)["decision"].due_at
    with transaction(engine) as session:
        hand_over(session, gate, "legal", person("ana"), NOW + 10 * MINUTE)
    kept = assignment_at(engine, gate)
    assert (gate_of(engine, gate).queue, kept.owner, kept.holder) == ("legal", "ana", None)
    assert clocks_of(engine, gate)["decision"].due_at == due
    with pytest.raises(Denied) as refusal:
        answer_gate(engine, gate, "ana", answer(), now=NOW + HOUR)
    assert refusal.value.reason == "role", "the guard is that of the partner's queue"
    claimed(engine, gate, "lea", NOW + HOUR)
    with transaction(engine) as session:
        hand_over(session, gate, "general", person("lea"), NOW + 80 * MINUTE)
    kept = assignment_at(engine, gate)
    assert (gate_of(engine, gate).queue, kept.holder, kept.owner) == ("general", "ana", None)
    assert actions(engine, gate) == [
        "gate.claimed",
        "gate.handed_over",
        "gate.denied",
        "gate.claimed",
        "gate.handed_over",
    ]


def test_a_lead_who_hands_over_for_the_holder_does_not_become_the_owner(
    engine: Engine, gate: str
) -> None:
    claimed(engine, gate, "ana")
    with transaction(engine) as session:
        hand_over(session, gate, "legal", person("lou"), NOW)
    assert assignment_at(engine, gate).owner == "ana"
    assert told(engine, gate)[-1][1]["owner"] == "ana"


def test_the_partners_answer_has_a_clock_of_its_own_each_time(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine)
    claimed(engine, gate, "ana")
    for start in (NOW + MINUTE, NOW + 3 * MINUTE):
        with transaction(engine) as session:
            hand_over(session, gate, "legal", person("ana"), start)
        assert clocks_of(engine, gate)["partner_answer"].due_at == start + HOUR
        claimed(engine, gate, "lea", start)
        with transaction(engine) as session:
            hand_over(session, gate, "general", person("lea"), start + MINUTE)
        assert clocks_of(engine, gate)["partner_answer"].state == "met"


def test_a_hand_over_is_no_way_round_two_people(engine: Engine) -> None:
    add_everybody(engine)
    gate = timed_case(engine, queue="legal", severity="P2")
    claimed(engine, gate, "lea")
    with pytest.raises(Denied) as refusal, transaction(engine) as session:
        hand_over(session, gate, "general", person("lea"), NOW)
    assert refusal.value.reason == "escalation"
    assert gate_of(engine, gate).queue == "legal"
