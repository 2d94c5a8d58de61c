"""What tells one bundle from another."""

from casework.policy.bundle import bundle_from_files
from casework.policy.difference import difference
from tests.factories.policy import FILES, small_bundle

RULES = """\
- {id: spam, when: spam, route: close, severity: P4, action: no_action, reason: Spam.}
- {id: threat, when: threat, route: escalate, severity: P1, queue: legal, action: ban,
   reason: A threat.}
- {id: both, when: spam AND threat, route: review, severity: P3, queue: mixed, action: no_action,
   reason: Both.}
"""


def test_a_bundle_does_not_differ_from_itself() -> None:
    told = difference(small_bundle(), small_bundle())
    assert (told.added, told.removed, told.changed, told.moved, told.files) == ([], [], [], [], [])


def test_rules_that_came_went_changed_and_moved_are_told() -> None:
    before, after = small_bundle(), bundle_from_files({**FILES, "rules.yaml": RULES})
    told = difference(before, after)
    assert [rule.id for rule in told.added] == ["both"]
    assert [(each.rule_id, each.fields) for each in told.changed] == [
        ("threat", [("severity", "P0", "P1")])
    ]
    assert len(told.moved) == 1
    assert told.files == ["rules.yaml"]
    assert [rule.id for rule in difference(after, before).removed] == ["both"]
