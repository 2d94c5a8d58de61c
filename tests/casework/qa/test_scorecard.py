"""Scorecards: each figure against a count by hand, and nothing of another vendor in them."""

from typing import Any

import pytest

from casework.qa.pseudonyms import pseudonyms
from casework.qa.quality import pool
from casework.qa.report import Looked, Review, Round
from casework.qa.reviews import Outcome
from casework.qa.scorecard import OURS, Period, Work, scorecard
from casework.qa.scorecard_page import scorecard_page

BAN, NOTHING, LEGAL = Outcome("ban", None), Outcome(None, None), Outcome(None, "legal")
EMPLOYERS = {"ana": "acme", "abe": "acme", "bea": "bolt"}
NAMES = pseudonyms(b"secret")


def looked(number: int, person: str, first: Outcome, final: Outcome, **more: Any) -> Looked:
    traits = {
        "decider": "person",
        "person": person,
        "vendor": EMPLOYERS.get(person, "-"),
        "queue": "spam",
        "severity": "P2",
        "rule": "-",
        "clause": "-",
    }
    fields: dict[str, Any] = {"error": None if first == final else "wrong_policy", "reviews": ()}
    fields |= {"item": str(number), "stratum": ("all",), "golden": False, "traits": traits}
    return Looked(**fields | {"first": first, "final": final} | more)


def worked(person: str, n: int, queue: str = "spam", **fields: Any) -> list[Work]:
    given = {"on_time": True, "minutes": 4.0, **fields}
    return [Work(person, EMPLOYERS.get(person, OURS), queue, "P2", **given)] * n


@pytest.fixture
def period() -> Period:
    """Ten of twenty looked at: of acme's five one wrong, one not handed over; bolt's all right."""
    items = [
        looked(1, "ana", BAN, BAN),
        looked(2, "ana", BAN, NOTHING),
        looked(3, "ana", LEGAL, LEGAL),
        looked(4, "abe", BAN, BAN),
        looked(5, "abe", BAN, LEGAL),
        *(looked(n, "bea", BAN, BAN) for n in range(6, 11)),
    ]
    both = tuple(Review(who, BAN) for who in ("ana", "abe", "bea"))
    split = (Review("ana", BAN), Review("abe", NOTHING), Review("bea", BAN))
    team = [looked(n, "zoe", BAN, BAN, reviews=each) for n, each in ((20, both), (21, split))]
    return Period(
        work=[
            *worked("ana", 6),
            *worked("abe", 2, on_time=False, minutes=10.0),
            *worked("abe", 1, on_time=None, minutes=None),
            *worked("bea", 9, "fraud"),
            *worked("zoe", 2),
        ],
        sampled=pool([Round("r", tuple(items), {("all",): 20})]),
        calibrated=[Round("c", tuple(team), {})],
        known=[("ana", True), ("abe", False), ("bea", False)],
        employer=lambda person: EMPLOYERS.get(person, OURS),
    )


def test_every_figure_of_a_vendor_is_what_a_count_by_hand_gives(period: Period) -> None:
    found = scorecard("acme", period, NAMES)
    assert (found["volume"], found["queues"]) == (9, {"spam": 9})
    assert found["quality"]["as_is"]["value"] == pytest.approx(3 / 5)
    even = found["quality"]["standardised"]
    assert (even["value"], even["missing"]) == (pytest.approx(3 / 5), ["fraud, P2"])
    assert even["covered"] == pytest.approx(11 / 20)
    assert (found["golden"]["value"], found["golden"]["n"]) == (0.5, 2)
    assert found["calibration"]["observed"]["value"] == 0.5
    assert found["calibration"]["alpha"]["n"] == 2
    assert (found["sla"]["as_is"]["value"], found["sla"]["as_is"]["n"]) == (6 / 8, 8)
    precision, recall = found["escalation"]["precision"], found["escalation"]["recall"]
    assert (precision["value"], precision["n"]) == (1.0, 1)
    assert (recall["value"], recall["n"]) == (0.5, 2)
    assert found["handling"] == {"n": 8, "median_minutes": 4.0, "p90_minutes": 10.0}


def test_people_have_pseudonyms_and_another_vendor_is_not_in_it(period: Period) -> None:
    found = scorecard("acme", period, NAMES)
    assert {name: each["volume"] for name, each in found["people"].items()} == {
        NAMES("ana"): 6,
        NAMES("abe"): 3,
    }
    assert found["people"][NAMES("ana")]["quality"]["value"] == pytest.approx(2 / 3)
    for hidden in ("ana", "abe", "bea", "bolt", NAMES("bea")):
        assert hidden not in str(found)
    assert "people" not in scorecard("acme", period, None)


def test_our_own_people_have_one_too_and_it_says_what_it_lacks(period: Period) -> None:
    ours = scorecard(OURS, period, NAMES)
    assert (ours["volume"], ours["quality"]["as_is"]["value"]) == (2, None)
    document = {
        "since": "2026-03-01T00:00:00+00:00",
        "until": "2026-04-01T00:00:00+00:00",
        "weights": period.weights(),
        "scorecards": [scorecard("acme", period, NAMES), ours],
    }
    page = scorecard_page(document)
    assert "| acme | 9 | 60.0% (" in page
    assert "- acme: nothing of theirs tells of quality in fraud, P2; the rest is 55%" in page
    assert f"| {NAMES('ana')} | 6 | 66.7%" in page
