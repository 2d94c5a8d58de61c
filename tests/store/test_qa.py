"""From decisions to a round, blind re-reviews, adjudication, and cases that are re-opened."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.cases import Reading
from casework.errors import Conflict, Denied, InputError, NotFound
from casework.evidence import evidence_digest
from casework.gates import ActorKind, Answer, Verdict
from casework.qa.population import Cell, population_digest
from casework.qa.sampling import draw
from casework.qa_answering import answer_qa_gate, look_at_qa_gate
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.gates import gates_without_run
from casework.store.people import answering, change_person
from casework.store.qa.drawing import draw_round
from casework.store.qa.gates import waiting_qa_gates
from casework.store.qa.golden import active_golden, add_golden, retire_golden
from casework.store.qa.reports import read_round
from casework.store.qa.rounds import round_by_id, rounds
from casework.store.tables import Case, CaseRevision, Decision, Gate, QaGate, QaItem, QaRound
from tests.factories.intake import actions_in, number_of
from tests.factories.qa import (
    BY,
    CLOSES,
    LATER,
    NOW,
    answer_at,
    decided,
    drawn,
    qa_bundle,
    qa_payload,
    staffed,
)


@pytest.fixture
def people(engine: Engine) -> None:
    staffed(engine)


def waiting_for(engine: Engine, person: str) -> list[str]:
    with reading(engine) as session:
        who = answering(session, person, ActorKind.PERSON)
        assert who is not None
        return [gate.id for gate in waiting_qa_gates(session, who)]


def item_at(engine: Engine, gate: str) -> QaItem:
    with reading(engine) as session:
        return session.get_one(QaItem, session.get_one(QaGate, gate).item_id)


def review(engine: Engine, gate: str, person: str, **fields: Any) -> QaItem:
    evidence = item_at(engine, gate).evidence_digest
    payload = qa_payload(evidence, **fields)
    answer_qa_gate(engine, gate, person, payload, now=LATER)
    return item_at(engine, gate)


def disputed(engine: Engine, action: str = "no_action") -> tuple[str, QaItem]:
    """A case that ana suspended and mia would not have; returns the adjudicator's gate."""
    decided(engine, people=["ana"])
    drawn(engine, "all")
    [gate] = waiting_for(engine, "mia")
    item = review(engine, gate, "mia", action=action)
    assert item.status == "disputed"
    [adjudication] = waiting_for(engine, "sam")
    return adjudication, item


@pytest.mark.usefixtures("people")
def test_a_plan_draws_from_every_stratum_and_opens_a_gate_for_each(engine: Engine) -> None:
    decided(engine, machine=12, people=["ana", "ben", "ana"])
    found = drawn(engine, "all")
    assert (found.population, found.sampled) == (15, 6)
    strata = {tuple(row["stratum"].values()): row["sampled"] for row in found.strata}
    assert strata == {("machine", "-"): 4, ("person", "general"): 2}
    assert number_of(engine, QaItem) == number_of(engine, QaGate) == 6
    with reading(engine) as session:
        items = list(session.scalars(select(QaItem)))
    assert {item.actor_kind for item in items} == {"machine", "person"}
    assert all("qa.opened" in actions_in(engine, item.case_id) for item in items)
    assert actions_in(engine, "system")[-1] == "qa.drawn"


@pytest.mark.usefixtures("people")
def test_the_same_draw_again_is_the_same_round_and_another_seed_another(engine: Engine) -> None:
    decided(engine, machine=12)
    first, again, other = (
        drawn(engine, "machine"),
        drawn(engine, "machine"),
        drawn(engine, "machine", seed="another"),
    )
    assert first.id == again.id != other.id
    assert first.population_digest == other.population_digest
    assert first.sample_digest != other.sample_digest
    assert first.seed == "machine:2026-03-03"
    with reading(engine) as session:
        assert {found.id for found in rounds(session, "machine")} == {first.id, other.id}
    assert number_of(engine, QaGate) == 6


@pytest.mark.usefixtures("people")
def test_the_sample_is_that_of_the_ids_alone_whatever_the_database(engine: Engine) -> None:
    decided(engine, machine=12, people=["ana", "ben"])
    found = drawn(engine, "all", seed="a seed")
    machine, person = (dict.fromkeys(Cell._fields, "-") for _ in range(2))
    machine["decider"] = "machine"
    person |= {"decider": "person", "queue": "general"}
    with reading(engine) as session:
        decisions = list(session.scalars(select(Decision)))
    closed = [each.id for each in decisions if each.verdict == "close"]
    answers = [each.id for each in decisions if each.gate_id is not None]
    population = {Cell(**machine): closed, Cell(**person): answers}
    sample = draw(qa_bundle().qa["all"], population, {}, "a seed")
    assert found.sample_digest == sample.digest()
    assert found.population_digest == population_digest(population)


@pytest.mark.usefixtures("people")
def test_a_window_without_decisions_or_still_open_draws_nothing(engine: Engine) -> None:
    assert draw_round(engine, qa_bundle(), "all", CLOSES, BY, LATER) is None
    with pytest.raises(InputError, match="still to come"):
        draw_round(engine, qa_bundle(), "all", CLOSES, BY, NOW)
    with pytest.raises(NotFound, match="no QA plan"):
        draw_round(engine, qa_bundle(), "al", CLOSES, BY, LATER)
    assert number_of(engine, QaRound) == 0


@pytest.mark.usefixtures("people")
def test_the_reviewer_sees_the_evidence_of_then_and_nothing_of_the_decision(
    engine: Engine,
) -> None:
    [case] = decided(engine, people=["ana"])
    drawn(engine, "all")
    with transaction(engine) as session:
        session.get_one(Case, case).revision = 2  # the source has sent newer content since
    [gate] = waiting_for(engine, "mia")
    shown, terms, classes = look_at_qa_gate(engine, gate)
    assert shown.item.revision == 1
    assert shown.content["body"].startswith("secret body")
    readings = [Reading(r.provider, r.version, r.known, r.unknown) for r in shown.readings]
    with reading(engine) as session:
        content = session.get_one(CaseRevision, (case, 1)).content_digest
        [proposal] = session.scalars(
            select(Decision).where(col(Decision.case_id) == case, col(Decision.actor) == "policy")
        )
    assert evidence_digest(content, readings, proposal.id) == shown.item.evidence_digest
    assert (sorted(terms.actions), terms.approvals, classes) == (["no_action", "suspend"], 1, ())


@pytest.mark.usefixtures("people")
def test_a_machines_decision_is_looked_at_as_if_it_had_waited(engine: Engine) -> None:
    decided(engine, machine=3)
    drawn(engine, "machine")
    _, terms, _ = look_at_qa_gate(engine, waiting_for(engine, "mia")[0])
    assert sorted(terms.actions) == ["no_action", "suspend"]
    assert sorted(terms.escalations) == ["legal"]


@pytest.mark.usefixtures("people")
def test_what_the_machine_handed_over_is_seen_only_by_who_works_in_that_queue(
    engine: Engine,
) -> None:
    decided(engine, handed=1)
    drawn(engine, "machine")
    [gate] = waiting_for(engine, "mia")
    item = item_at(engine, gate)
    assert (item.queue, item.origin, item.escalate_to, item.action) == (
        "legal",
        "general",
        "legal",
        None,
    )
    _, terms, _ = look_at_qa_gate(engine, gate)
    assert "legal" in terms.escalations
    handed = {"verdict": "escalate", "action": None, "escalate_to": "legal"}
    with transaction(engine) as session:
        change_person(session, "mia", queues=["general"], by=BY, now=LATER)
    assert waiting_for(engine, "mia") == []
    with pytest.raises(Denied) as refusal:
        review(engine, gate, "mia", **handed)
    assert refusal.value.reason == "queue"
    assert review(engine, gate, "max", **handed).status == "settled"


@pytest.mark.usefixtures("people")
def test_of_two_that_draw_at_once_one_does_it(engine: Engine) -> None:
    decided(engine, machine=12)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: drawn(engine, "machine").id, range(2)))
    assert len(set(found)) == number_of(engine, QaRound) == 1
    assert actions_in(engine, "system").count("qa.drawn") == 1


@pytest.mark.usefixtures("people")
def test_agreement_settles_and_leaves_the_case_closed(engine: Engine) -> None:
    [case] = decided(engine, people=["ana"])
    drawn(engine, "all")
    item = review(engine, waiting_for(engine, "mia")[0], "mia")
    assert (item.status, item.error, item.final_action) == ("settled", None, "suspend")
    assert actions_in(engine, case)[-2:] == ["qa.answered", "qa.settled"]
    assert waiting_for(engine, "max") == []
    with reading(engine) as session:
        assert session.get_one(Case, case).status == "closed"


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("person", "fields", "reason"),
    [
        ("ana", {}, "role"),
        ("nobody", {}, "unknown_person"),
        ("mia", {"action": "ban"}, "action"),
        ("mia", {"evidence_digest": "b" * 64}, "stale_evidence"),
        ("mia", {"verdict": "perhaps"}, "malformed"),
        ("mia", {"verdict": "escalate", "action": None, "escalate_to": "mixed"}, "escalation"),
    ],
)
def test_a_refused_answer_is_in_the_history_and_settles_nothing(
    engine: Engine, person: str, fields: dict[str, Any], reason: str
) -> None:
    [case] = decided(engine, people=["ana"])
    drawn(engine, "all")
    [gate] = waiting_for(engine, "mia")
    with pytest.raises((Denied, Conflict)) as refusal:
        review(engine, gate, person, **fields)
    assert refusal.value.reason == reason
    assert actions_in(engine, case)[-1] == "qa.denied"
    assert item_at(engine, gate).status == "open"


@pytest.mark.usefixtures("people")
def test_who_decided_first_may_not_review_though_their_role_would_allow_it(
    engine: Engine,
) -> None:
    with transaction(engine) as session:
        change_person(session, "ana", roles=["analyst", "qa"], by=BY, now=LATER)
    decided(engine, people=["ana"])
    drawn(engine, "all")
    [gate] = waiting_for(engine, "mia")
    assert waiting_for(engine, "ana") == []
    with pytest.raises(Denied) as refusal:
        review(engine, gate, "ana")
    assert refusal.value.reason == "participant"


@pytest.mark.usefixtures("people")
def test_an_answer_is_given_once(engine: Engine) -> None:
    decided(engine, people=["ana"])
    drawn(engine, "all")
    [gate] = waiting_for(engine, "mia")
    review(engine, gate, "mia")
    with pytest.raises(Conflict):
        review(engine, gate, "max")


@pytest.mark.usefixtures("people")
def test_overlap_asks_two_people_who_do_not_see_each_other(engine: Engine) -> None:
    decided(engine, people=["ana", "ben"])
    drawn(engine, "twice")
    gates = waiting_for(engine, "mia")
    assert len(gates) == 4
    item = review(engine, gates[0], "mia")
    assert item.status == "open"
    same = [gate for gate in gates[1:] if item_at(engine, gate).id == item.id]
    assert set(waiting_for(engine, "mia")) == set(gates) - {gates[0], *same}
    with pytest.raises(Denied) as refusal:
        review(engine, same[0], "mia")
    assert refusal.value.reason == "participant"
    assert review(engine, same[0], "max").status == "settled"


@pytest.mark.usefixtures("people")
def test_two_reviewers_who_differ_go_to_an_adjudicator(engine: Engine) -> None:
    decided(engine, people=["ana", "ben"])
    drawn(engine, "twice")
    gates = waiting_for(engine, "mia")
    item = item_at(engine, gates[0])
    pair = [gate for gate in gates if item_at(engine, gate).id == item.id]
    review(engine, pair[0], "mia")
    assert review(engine, pair[1], "max", action="no_action").status == "disputed"


@pytest.mark.usefixtures("people")
def test_an_adjudicator_who_upholds_the_first_decision_names_no_error(engine: Engine) -> None:
    gate, _ = disputed(engine)
    item = review(engine, gate, "sam", error=None)
    assert (item.status, item.error) == ("settled", None)
    with reading(engine) as session:
        assert session.get_one(Case, item.case_id).status == "closed"


@pytest.mark.usefixtures("people")
def test_the_outcome_may_stand_and_its_documentation_be_wrong(engine: Engine) -> None:
    gate, _ = disputed(engine)
    item = review(engine, gate, "sam", error="documentation")
    assert (item.error, item.final_action) == ("documentation", "suspend")


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"action": "no_action", "error": None}, "needs the class of its error"),
        ({"error": "bad_luck"}, "there is no class of error bad_luck"),
        ({}, "error: Field required"),
    ],
)
def test_an_adjudication_that_contradicts_itself_is_refused(
    engine: Engine, fields: dict[str, Any], told: str
) -> None:
    gate, _ = disputed(engine)
    with pytest.raises(Denied, match=told):
        review(engine, gate, "sam", **fields)


@pytest.mark.usefixtures("people")
def test_reviewers_and_deciders_may_not_adjudicate(engine: Engine) -> None:
    gate, item = disputed(engine)
    with reading(engine) as session:
        whole = read_round(session, round_by_id(session, item.round_id))
    assert [each.disputed for each in whole.items] == [True]
    for person in ("mia", "ana"):
        with pytest.raises(Denied):
            review(engine, gate, person, error=None)


@pytest.mark.usefixtures("people")
def test_a_corrected_outcome_re_opens_the_case_at_a_gate_that_undoes_it(engine: Engine) -> None:
    gate, _ = disputed(engine)
    item = review(engine, gate, "sam", verdict="refuse", action=None, error="false_positive")
    assert item.error == "false_positive"
    with reading(engine) as session:
        case = session.get_one(Case, item.case_id)
        [waiting] = [g for g in gates_without_run(session) if g.status == "open"]
    assert (case.status, case.closed_at, case.queue) == ("waiting", None, "general")
    assert (waiting.step, waiting.requested_by, waiting.queue) == (2, "sam", "general")
    assert waiting.proposed_action == "unsuspend"
    assert actions_in(engine, case.id)[-2:] == ["case.reopened", "gate.opened"]
    answer_at(engine, waiting.id, "ben", "no_action")
    with reading(engine) as session:
        assert session.get_one(Case, item.case_id).status == "closed"
        assert session.get_one(Gate, waiting.id).status == "carried_out"


@pytest.mark.usefixtures("people")
def test_who_found_the_error_may_not_carry_the_correction_alone(engine: Engine) -> None:
    gate, _ = disputed(engine)
    item = review(engine, gate, "sam", verdict="refuse", action=None, error="false_positive")
    with reading(engine) as session:
        [waiting] = session.scalars(
            select(Gate).where(col(Gate.case_id) == item.case_id, col(Gate.status) == "open")
        )
    with pytest.raises(Denied) as refusal:
        answer_at(engine, waiting.id, "sam", "no_action")
    assert refusal.value.reason == "requester"


@pytest.mark.usefixtures("people")
def test_a_machines_error_re_opens_the_case_in_the_queue_it_should_have_met(
    engine: Engine,
) -> None:
    decided(engine, machine=1)
    drawn(engine, "machine")
    review(engine, waiting_for(engine, "mia")[0], "mia")
    [gate] = waiting_for(engine, "sam")
    item = review(engine, gate, "sam", error="false_negative")
    with reading(engine) as session:
        [waiting] = session.scalars(select(Gate))
    assert (waiting.case_id, waiting.step, waiting.proposed_action) == (item.case_id, 1, "suspend")


@pytest.mark.usefixtures("people")
def test_a_case_with_newer_content_is_corrected_and_not_re_opened(engine: Engine) -> None:
    gate, before = disputed(engine)
    with transaction(engine) as session:
        session.get_one(Case, before.case_id).revision = 2
    item = review(engine, gate, "sam", verdict="refuse", action=None, error="false_positive")
    assert item.error == "false_positive"
    assert "case.reopened" not in actions_in(engine, item.case_id)


@pytest.mark.usefixtures("people")
def test_a_decision_that_should_have_been_handed_over_waits_in_that_queue(engine: Engine) -> None:
    decided(engine, people=["ana"])
    drawn(engine, "all")
    [gate] = waiting_for(engine, "mia")
    handed = {"verdict": "escalate", "action": None, "escalate_to": "legal"}
    assert review(engine, gate, "mia", **handed).status == "disputed"
    [adjudication] = waiting_for(engine, "sam")
    item = review(engine, adjudication, "sam", **handed, error="wrong_escalation")
    assert item.final_escalate_to == "legal"
    with reading(engine) as session:
        gates = session.scalars(select(Gate).where(col(Gate.case_id) == item.case_id))
        steps = {gate.step: (gate.queue, gate.status) for gate in gates}
    assert steps == {1: ("general", "carried_out"), 2: ("legal", "open")}


@pytest.mark.usefixtures("people")
def test_an_escalation_that_was_not_due_is_an_error_and_re_opens_nothing(engine: Engine) -> None:
    decided(engine, handed=1)
    drawn(engine, "machine")
    [gate] = waiting_for(engine, "mia")
    assert review(engine, gate, "mia").status == "disputed"
    [adjudication] = waiting_for(engine, "sam")
    item = review(engine, adjudication, "sam", error="wrong_escalation")
    assert (item.error, item.final_action) == ("wrong_escalation", "suspend")
    assert "case.reopened" not in actions_in(engine, item.case_id)


def known_answer(engine: Engine, case: str) -> str:
    with transaction(engine) as session:
        answer = Answer(
            verdict=Verdict.APPROVE,
            action="suspend",
            rationale="known",
            evidence_digest="0" * 64,
        )
        return add_golden(session, case, qa_bundle(), answer, BY, LATER).id


@pytest.mark.usefixtures("people")
def test_golden_items_are_mixed_in_unmarked_and_measure_the_reviewer(engine: Engine) -> None:
    cases = decided(engine, machine=1, people=["ana", "ben"])
    known_answer(engine, cases[0])
    drawn(engine, "twice")
    gates = waiting_for(engine, "mia")
    [golden] = [gate for gate in gates if item_at(engine, gate).golden]
    assert len(golden) == len(gates[0])
    item = review(engine, golden, "mia", action="no_action")
    assert (item.status, item.error) == ("settled", None), "nobody adjudicates what is known"
    assert waiting_for(engine, "sam") == []


@pytest.mark.usefixtures("people")
def test_a_golden_item_is_kept_once_and_retired(engine: Engine) -> None:
    [case] = decided(engine, machine=1)
    golden = known_answer(engine, case)
    with pytest.raises(Conflict):
        known_answer(engine, case)
    for _ in range(2):
        with transaction(engine) as session:
            retire_golden(session, golden, BY, LATER)
    with reading(engine) as session:
        assert active_golden(session) == []
    assert actions_in(engine, case).count("qa.golden_retired") == 1


@pytest.mark.usefixtures("people")
def test_a_calibration_round_asks_each_of_a_team_and_disputes_nothing(engine: Engine) -> None:
    decided(engine, machine=3)
    found = drawn(engine, "machine", team=("mia", "max"))
    assert (found.kind, number_of(engine, QaGate)) == ("calibration", 6)
    assert waiting_for(engine, "moe") == []
    mine, theirs = waiting_for(engine, "mia"), waiting_for(engine, "max")
    assert (len(mine), len(theirs), set(mine) & set(theirs)) == (3, 3, set())
    with pytest.raises(Denied) as refusal:
        review(engine, theirs[0], "mia")
    assert refusal.value.reason == "reserved"
    review(engine, mine[0], "mia")
    same = [g for g in theirs if item_at(engine, g).id == item_at(engine, mine[0]).id]
    assert review(engine, same[0], "max", action="no_action").status == "settled"


@pytest.mark.usefixtures("people")
def test_a_report_tells_decisions_apart_as_their_population_does(engine: Engine) -> None:
    decided(engine, machine=1, handed=1, people=["ana"])
    found = drawn(engine, "all")
    with reading(engine) as session:
        whole = read_round(session, found)
    assert {(each.traits["decider"], each.traits["queue"]) for each in whole.items} == {
        ("machine", "-"),
        ("machine", "legal"),
        ("person", "general"),
    }
    assert {each.stratum for each in whole.items} == set(whole.sizes)


@pytest.mark.usefixtures("people")
def test_carrying_a_correction_out_twice_closes_once(engine: Engine) -> None:
    gate, _ = disputed(engine)
    item = review(engine, gate, "sam", verdict="refuse", action=None, error="false_positive")
    with reading(engine) as session:
        [waiting] = [g for g in gates_without_run(session) if g.status == "open"]
    answer_at(engine, waiting.id, "ben", "no_action")
    with transaction(engine) as session:
        carry_out(session, waiting.id, BY, LATER)
    assert actions_in(engine, item.case_id).count("case.closed") == 2, "first, and corrected"
