"""Escalation accuracy from reviewed decisions."""

import pytest

from casework.qa.escalation import Handed, escalation_accuracy


def test_precision_and_recall_weigh_each_stratum_by_its_size() -> None:
    # A tenth of the machine's decisions and every one of the people's were looked at.
    decisions = [
        Handed("machine", escalated=True, should=True),
        Handed("machine", escalated=True, should=False),
        Handed("machine", escalated=False, should=False),
        Handed("people", escalated=False, should=True),
        Handed("people", escalated=True, should=True),
    ]
    found = escalation_accuracy(decisions, {"machine": 30, "people": 2}, population="March")
    assert found.precision.value == pytest.approx(11 / 21)
    assert found.recall.value == pytest.approx(11 / 12)
    assert found.over.value == pytest.approx(10 / 32)
    assert found.under.value == pytest.approx(1 / 32)
    assert found.precision.population == "escalated: March"


def test_without_escalations_precision_is_not_known_and_nothing_is_over() -> None:
    found = escalation_accuracy([Handed("a", False, False)], {"a": 5})
    assert found.precision.value is found.recall.value is None
    assert found.over.value == found.under.value == 0.0
