"""Durations: measured from detection, and undone by an incident that breaks out again."""

from datetime import timedelta

import pytest

from casework.incidents.durations import Move, detection, durations, spoken
from casework.incidents.roles import IncidentRole, Tenure
from casework.incidents.states import IncidentStatus
from tests.factories.gates import NOW


def after(minute: int, status: str) -> Move:
    return Move(NOW + timedelta(minutes=minute), IncidentStatus(status))


def took(*moves: Move, tenures: tuple[Tenure, ...] = ()) -> dict[str, int | None]:
    """Minutes from detection, ten before the opening."""
    spans = durations(NOW - timedelta(minutes=10), NOW, tenures, moves)
    return {
        each.name: None if each.lasted is None else int(each.lasted.total_seconds() // 60)
        for each in spans
    }


def test_each_moment_is_counted_from_detection() -> None:
    first = Tenure(IncidentRole.COMMANDER, "mia", NOW + timedelta(minutes=5))
    second = Tenure(IncidentRole.COMMANDER, "sam", NOW + timedelta(minutes=50))
    moves = [after(20, "contained"), after(60, "resolved"), after(90, "closed")]
    assert took(*moves, tenures=(first, second)) == {
        "opened": 10,
        "commander": 15,
        "contained": 30,
        "resolved": 70,
        "closed": 100,
    }


def test_what_broke_out_again_counts_from_when_it_was_contained_for_good() -> None:
    moves = [after(20, "contained"), after(30, "open"), after(45, "contained")]
    assert took(*moves)["contained"] == 55
    assert took(*moves[:2])["contained"] is None


def test_what_was_resolved_at_once_was_contained_at_the_same_time() -> None:
    assert took(after(20, "resolved"))["contained"] == 30
    assert took(after(20, "resolved"))["closed"] is None


def test_detection_is_told_or_the_first_arrival_or_the_opening() -> None:
    earlier, later = NOW - timedelta(hours=2), NOW + timedelta(hours=2)
    assert detection(later, [earlier], NOW) == later
    assert detection(None, [later, earlier], NOW) == earlier
    assert detection(None, [later], NOW) == NOW
    assert detection(None, [], NOW) == NOW


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3900, "1 h 05 min"), (97_200, "1 d 3 h")],
)
def test_spans_are_told_in_words(seconds: int, words: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == words
    assert spoken(None) == "-"
