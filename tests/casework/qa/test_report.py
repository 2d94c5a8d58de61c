"""What a round says, worked out by hand."""

from typing import Any

import pytest

from casework.qa.pseudonyms import as_they_are, pseudonyms
from casework.qa.report import GROUPS, Looked, Review, Round, figures_of, report
from casework.qa.reviews import (
    ItemStatus,
    Outcome,
    likely_error,
    misfit,
    outcome_of,
    standing_after,
)

BAN, NOTHING, LEGAL = Outcome("ban", None), Outcome(None, None), Outcome(None, "legal")


def looked(name: str, stratum: str, first: Outcome = BAN, **more: Any) -> Looked:
    """An item of a stratum that was right, unless told otherwise."""
    final = more.pop("final", first)
    traits = {**dict.fromkeys(GROUPS, "-"), "decider": "person", **more.pop("traits", {})}
    reviews = tuple(Review(*each) for each in more.pop("reviews", ()))
    error, golden = more.pop("error", None), more.pop("golden", False)
    return Looked(name, (stratum,), golden, traits, first, final, error, reviews, **more)


def test_an_error_counts_for_the_decisions_it_stands_for() -> None:
    ana, ben = {"person": "ana", "vendor": "acme"}, {"person": "ben"}
    items = (
        looked("1", "small", final=NOTHING, error="false_positive", traits=ana),
        looked("2", "small", traits=ana),
        looked("3", "large", traits=ben),
        looked("4", "large", traits=ben),
    )
    found = report(Round("March", items, {("small",): 10, ("large",): 90}), None, as_they_are)
    assert found["error_rate"]["value"] == pytest.approx(0.05)
    assert found["error_rate_stratified"]["value"] == pytest.approx(0.05)
    assert found["by"]["person"]["ana"]["value"] == pytest.approx(0.5)
    assert found["by"]["person"]["ben"]["value"] == 0.0
    assert found["by"]["vendor"] == {"acme": found["by"]["vendor"]["acme"]}
    assert found["errors"]["false_positive"]["value"] == pytest.approx(0.05)
    assert found["error_rate"]["population"] == "100 of 100 decisions of March"


def test_what_is_not_settled_and_what_is_golden_is_not_counted() -> None:
    items = (
        looked("1", "a"),
        looked("2", "b", final=None, disputed=True),
        looked("3", "a", golden=True, error="process"),
    )
    found = report(Round("March", items, {("a",): 10, ("b",): 90}), None, as_they_are)
    assert (found["settled"], found["open"], found["covered"]) == (1, 1, 10)
    assert found["disputed"] == 1
    assert found["error_rate"]["value"] == 0.0


def test_escalations_are_counted_with_their_reasons() -> None:
    items = (
        looked("1", "a", first=LEGAL, final=BAN, error="wrong_escalation"),
        looked("2", "a", first=BAN, final=LEGAL, error="wrong_escalation"),
        looked("3", "a", first=LEGAL),
        looked("4", "a"),
    )
    found = report(Round("March", items, {("a",): 40}), None, as_they_are)["escalation"]
    assert found["precision"]["value"] == found["recall"]["value"] == 0.5
    assert found["reasons"] == {
        "over: to legal, should be ban": 1,
        "under: ban, should be to legal": 1,
    }


def test_agreement_is_with_the_first_decision_and_among_reviewers() -> None:
    items = tuple(
        looked(str(n), "a", first=first, reviews=[("mia", first), ("max", second)])
        for n, (first, second) in enumerate([(BAN, BAN), (NOTHING, NOTHING), (BAN, NOTHING)])
    )
    found = report(Round("March", items, {("a",): 9}), None, as_they_are)["agreement"]
    assert found["with_first_decision"]["value"] == 1.0
    assert found["pairs"][0]["reviewers"] == ["max", "mia"]
    assert found["pairs"][0]["value"] == pytest.approx(0.4)
    assert found["among_reviewers"]["observed"]["value"] == pytest.approx(2 / 3)


def test_reviewers_are_measured_by_golden_items() -> None:
    items = (
        looked("1", "-", first=BAN, golden=True, reviews=[("mia", BAN)]),
        looked("2", "-", first=BAN, golden=True, reviews=[("mia", NOTHING)]),
    )
    found = report(Round("March", items, {}), None, as_they_are)["golden"]
    assert (found["mia"]["value"], found["mia"]["n"]) == (0.5, 2)
    assert found["mia"]["method"] == "Clopper-Pearson exact interval"


def test_drift_is_told_for_all_and_for_each_group_of_both_rounds() -> None:
    ana = {"person": "ana"}

    def round_of(errors: int) -> Round:
        items = tuple(
            looked(str(n), "a", error="process" if n < errors else None, traits=ana)
            for n in range(100)
        )
        return Round("March", items, {("a",): 1000})

    found = {row["name"]: row for row in report(round_of(40), round_of(5), as_they_are)["drift"]}
    assert found["all"]["moved"]
    assert found["person ana"]["change"] == pytest.approx(0.35)
    assert report(round_of(5), None, as_they_are)["drift"] == []


def test_people_are_told_by_pseudonyms_and_the_machine_by_its_name() -> None:
    items = (
        looked("1", "a", traits={"person": "ana"}, reviews=[("mia", BAN)]),
        looked("2", "a", traits={"person": "policy", "decider": "machine"}),
    )
    naming = pseudonyms(b"secret")
    found = report(Round("March", items, {("a",): 9}), None, naming)
    assert set(found["by"]["person"]) == {naming("ana"), "policy"}
    assert "ana" not in str(found)
    assert "mia" not in str(found)
    assert naming("ana") == pseudonyms(b"secret")("ana") != pseudonyms(b"other")("ana")


def test_every_figure_says_how_it_was_made_and_what_it_speaks_of() -> None:
    found = report(Round("March", (looked("1", "a"),), {("a",): 9}), None, as_they_are)
    figures = dict(figures_of(found))
    assert {"error_rate", "escalation precision", "agreement with_first_decision"} <= set(figures)
    for each in figures.values():
        assert each["method"]
        assert each["source"]
        assert each["population"]


def test_an_empty_round_says_nothing_and_fails_at_nothing() -> None:
    found = report(Round("March", (), {("a",): 9}), None, as_they_are)
    assert found["error_rate"]["value"] is None
    assert (found["settled"], found["covered"]) == (0, 0)


@pytest.mark.parametrize(
    ("verdict", "action", "to", "outcome"),
    [
        ("close", "close_no_action", None, NOTHING),
        ("approve", "close_no_action", None, NOTHING),
        ("refuse", None, None, NOTHING),
        ("approve", "ban", None, BAN),
        ("escalate", None, "legal", LEGAL),
    ],
)
def test_a_machines_and_a_persons_decision_come_to_the_same(
    verdict: str, action: str | None, to: str | None, outcome: Outcome
) -> None:
    assert outcome_of(verdict, action, to, {"close_no_action"}) == outcome


def test_one_reviewer_who_differs_makes_a_dispute() -> None:
    assert standing_after(BAN, [BAN, BAN]) is ItemStatus.SETTLED
    assert standing_after(BAN, [BAN, LEGAL]) is ItemStatus.DISPUTED


@pytest.mark.parametrize(
    ("first", "final", "error"),
    [
        (BAN, BAN, None),
        (BAN, NOTHING, "false_positive"),
        (NOTHING, BAN, "false_negative"),
        (BAN, Outcome("warn", None), "wrong_severity"),
        (BAN, LEGAL, "wrong_escalation"),
        (LEGAL, NOTHING, "wrong_escalation"),
    ],
)
def test_a_changed_outcome_speaks_for_a_class_of_error(
    first: Outcome, final: Outcome, error: str | None
) -> None:
    assert likely_error(first, final) == error


def test_an_adjudication_may_find_an_error_in_an_outcome_that_stands() -> None:
    assert misfit(BAN, BAN, "process", {"process"}) == ""
    assert misfit(BAN, NOTHING, None, {"process"}) != ""
    assert misfit(BAN, BAN, "proces", {"process"}) != ""
