"""Drawing: the same each time, each decision as likely as was said."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.qa.drift import Counted
from casework.qa.plans import Plan
from casework.qa.population import (
    Cell,
    Tenures,
    belongs,
    population_digest,
    traits_read,
)
from casework.qa.sampling import draw, learned, lowest, preview
from casework.qa.summaries import preview_document
from tests.factories.populations import cell, plan, population

MACHINE, PERSON = cell(decider="machine", rule="spam"), cell(decider="person", person="ana")
MIXED = population((MACHINE, 80), (PERSON, 20))
BY_DECIDER = {"strata": ["decider"], "allocation": {"size": 10, "per_stratum": 3}}


def test_a_preview_says_what_will_be_drawn_before_it_is() -> None:
    chosen = plan(**BY_DECIDER, overlap={"reviewers": 3, "share": 0.2}, golden=0.1, minutes=30)
    found = preview("daily", chosen, MIXED, {}, margin=0.1)
    assert [(s.key, s.population, s.sampled) for s in found.strata] == [
        (("machine",), 80, 7),
        (("person",), 20, 3),
    ]
    assert (found.reviews, found.hours) == (10 + 2 * 2 + 1, 7.5)
    document = preview_document(found, chosen, 0.1)
    assert document["strata"][0]["probability"] == pytest.approx(7 / 80)
    assert 0 < document["expected_margin"] < 1
    drawn = draw(chosen, MIXED, {}, "seed")
    assert drawn.strata == found.strata
    assert sum(each.reviewers for each in drawn.drawn) == 14


def test_a_sample_can_be_repeated_by_hand() -> None:
    # printf 'seed\0id' | sha256sum: the five lowest of a hundred.
    from hashlib import sha256

    names = [f"id{number}" for number in range(100)]
    by_hand = sorted(names, key=lambda name: sha256(f"seed\0{name}".encode()).hexdigest())
    assert lowest(names, 5, "seed") == by_hand[:5]


@settings(max_examples=50)
@given(st.randoms(use_true_random=False), st.text(max_size=8))
def test_the_order_decisions_were_read_in_changes_nothing(chance: random.Random, seed: str) -> None:
    shuffled = list(MIXED.items())
    chance.shuffle(shuffled)
    again = {key: chance.sample(ids, len(ids)) for key, ids in shuffled}
    chosen = plan(**BY_DECIDER, overlap={"share": 0.3})
    first, second = draw(chosen, MIXED, {}, seed), draw(chosen, again, {}, seed)
    assert first.digest() == second.digest()
    assert population_digest(MIXED) == population_digest(again)


def test_another_seed_draws_others_and_a_decision_more_changes_the_populations_digest() -> None:
    chosen = plan(**BY_DECIDER)
    assert draw(chosen, MIXED, {}, "a").digest() != draw(chosen, MIXED, {}, "b").digest()
    more = population((MACHINE, 81), (PERSON, 20))
    assert population_digest(MIXED) != population_digest(more)


def test_a_drawn_decision_stays_drawn_when_more_are() -> None:
    few = draw(plan(allocation={"size": 10}), MIXED, {}, "seed")
    many = draw(plan(allocation={"size": 30}), MIXED, {}, "seed")
    assert {each.decision_id for each in few.drawn} < {each.decision_id for each in many.drawn}


def test_each_decision_is_drawn_as_often_as_its_probability_says() -> None:
    chosen, rounds = plan(**BY_DECIDER), 600
    seen: Counter[str] = Counter()
    for seed in range(rounds):
        seen.update(each.decision_id for each in draw(chosen, MIXED, {}, str(seed)).drawn)
    for key, probability in ((MACHINE, 7 / 80), (PERSON, 3 / 20)):
        rates = [seen[each] / rounds for each in MIXED[key]]
        assert sum(rates) / len(rates) == pytest.approx(probability)
        reach = 4.5 * (probability * (1 - probability) / rounds) ** 0.5
        assert all(abs(rate - probability) < reach for rate in rates)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 60)), min_size=1, max_size=6))
def test_weights_of_a_sample_sum_to_its_population(parts: list[tuple[str, int]]) -> None:
    cells = [(cell(queue=queue, rule=str(n)), size) for n, (queue, size) in enumerate(parts)]
    found = population(*cells)
    sample = draw(plan(strata=["queue"]), found, {}, "seed")
    weights = [stratum.population / stratum.sampled for stratum in sample.strata]
    whole = sum(w * s.sampled for w, s in zip(weights, sample.strata, strict=True))
    assert whole == pytest.approx(sum(map(len, found.values())))


def test_newcomers_are_looked_at_more_and_ever_less() -> None:
    chosen = plan(
        strata=["person"],
        allocation={"size": 1, "per_stratum": 1, "per_person": 2},
        ramp={"start": 0.8, "floor": 0.05, "half_life_days": 10},
    )
    new, old = cell(person="new"), cell(person="old")
    for days, expected in ((0, 80), (10, 43), (20, 24), (1000, 5)):
        tenures: Tenures = {("person", "new"): days, ("person", "old"): 9999}
        found = preview("p", chosen, population((new, 100), (old, 30)), tenures)
        assert [stratum.sampled for stratum in found.strata] == [expected, 2]


def test_new_vendors_are_looked_at_more_where_vendors_are_told_apart() -> None:
    chosen = plan(strata=["vendor"], ramp={"start": 0.5, "half_life_days": 7})
    found = preview("p", chosen, population((cell(vendor="acme"), 100)), {("vendor", "acme"): 0.0})
    assert found.sampled == 50


def test_risk_and_expected_errors_are_read_by_trait() -> None:
    severe, plain = cell(severity="P0", queue="fraud"), cell(severity="P4", queue="fraud")
    found = population((severe, 100), (plain, 400))
    risky = plan(strata=["severity"], allocation={"size": 40}, risk={"severity": {"P0": 4}})
    assert [s.sampled for s in preview("p", risky, found, {}).strata] == [20, 20]
    neyman = plan(
        strata=["severity"],
        allocation={"size": 40, "method": "neyman"},
        expected_error=0.01,
        expected_errors={"severity": {"P0": 0.5}},
    )
    assert preview("p", neyman, found, {}).strata[0].sampled > 20


@pytest.mark.parametrize(
    ("fields", "inside"),
    [
        ({}, True),
        ({"deciders": ["machine"]}, False),
        ({"queues": ["fraud"]}, True),
        ({"queues": ["legal"]}, False),
        ({"routes": ["close"]}, False),
        ({"exclusions": {"people": ["ana"]}}, False),
        ({"exclusions": {"rules": ["spam"]}}, True),
        ({"exclusions": {"actions": ["ban"]}}, False),
    ],
)
def test_a_plan_says_who_is_in_its_population(fields: dict[str, Any], inside: bool) -> None:
    found = Cell("person", "ana", "acme", "fraud", "P2", "review", "ban", "fraud_rule", "FR-1")
    chosen: Plan = plan(**fields)
    assert belongs(chosen, found) is inside


def test_only_the_traits_a_plan_asks_about_are_read() -> None:
    assert traits_read(plan()) == frozenset()
    assert traits_read(plan(strata=["vendor"], queues=["fraud"])) == {"vendor", "person", "queue"}


def test_a_plans_digest_does_not_depend_on_the_order_of_what_has_none() -> None:
    first, second = plan(queues=["a", "b", "c"]), plan(queues=["c", "b", "a"])
    assert first.digest() == second.digest() != plan(queues=["a", "b"]).digest()
    assert Plan.model_validate(first.document()) == first


def test_neyman_draws_where_earlier_rounds_found_errors() -> None:
    chosen = plan(strata=["queue"], allocation={"method": "neyman", "size": 60, "prior_looks": 20})
    two = population((cell(queue="easy"), 500), (cell(queue="hard"), 500))
    known = {("easy",): Counted(0, 180), ("hard",): Counted(50, 100)}
    before, after = (preview("p", chosen, two, {}, each) for each in ({}, known))
    assert [each.sampled for each in before.strata] == [30, 30]
    # Rates (0 + 20 * 0.05) / 200 and (50 + 1) / 120; shares by the root of p (1 - p), Cochran 5.5.
    rates = [1 / 200, 51 / 120]
    assert [each.error for each in after.strata] == pytest.approx(rates)
    spread = [(p * (1 - p)) ** 0.5 for p in rates]
    assert after.strata[1].sampled == round(60 * spread[1] / sum(spread))
    assert draw(chosen, two, {}, "seed", known).strata == after.strata
    assert preview_document(after, chosen, 0.1)["strata"][1]["expected_error"] == rates[1]


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0, 1), st.floats(0.1, 500))
def test_what_is_learned_lies_between_what_was_expected_and_what_was_found(
    hits: int, others: int, expected: float, looks: float
) -> None:
    found = learned(expected, Counted(hits, hits + others), looks)
    rate = hits / (hits + others) if hits + others else expected
    assert min(expected, rate) - 1e-9 <= found <= max(expected, rate) + 1e-9
