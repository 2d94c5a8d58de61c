"""What the policy missed: one way at a time, named by rule."""

from dataclasses import replace

import pytest

from casework.incidents.missed import CaseOutcome, Miss, missed

RIGHT = CaseOutcome("c1", "review", "scam", "warn", verdict="approve", action="warn")


def ways(outcome: CaseOutcome) -> list[tuple[Miss, str | None]]:
    return [(each.miss, each.rule_id) for each in missed([outcome])]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"verdict": None, "action": None}, []),
        ({"action": "ban"}, [(Miss.OTHER_ACTION, "scam")]),
        ({"verdict": "refuse", "action": None}, [(Miss.OTHER_ACTION, "scam")]),
        ({"verdict": "escalate", "handed_over": True}, [(Miss.HANDED_OVER, "scam")]),
        ({"handed_over": True}, [(Miss.HANDED_OVER, "scam")]),
        ({"rule_id": None}, [(Miss.NO_RULE, None)]),
        ({"route": "close", "verdict": None, "action": None}, [(Miss.CLOSED, "scam")]),
        ({"held": True, "action": "ban"}, [(Miss.WOULD_CLOSE, "scam")]),
        ({"held": True}, []),
        ({"undecided": ("threat", "hate")}, [(Miss.UNDECIDED, "hate"), (Miss.UNDECIDED, "threat")]),
    ],
)
def test_each_way_of_missing_is_told(
    changes: dict[str, object], expected: list[tuple[Miss, str | None]]
) -> None:
    assert ways(replace(RIGHT, **changes)) == expected  # type: ignore[arg-type]


def test_cases_that_were_missed_alike_are_told_together() -> None:
    cases = [replace(RIGHT, case_id=f"c{n}", action="ban") for n in (3, 1, 2)]
    [group] = missed([*cases, RIGHT])
    assert (group.rule_id, group.cases) == ("scam", ("c1", "c2", "c3"))
