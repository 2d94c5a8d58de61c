"""What a decision causes: the right effects, once each, and an undoing for what can be undone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.consequences import (
    Carried,
    Done,
    Stands,
    closes_with_effects,
    effects_of,
    replaced_by,
    standing,
    undone_by,
)
from casework.effects import EffectKind
from casework.policy.bundle import bundle_from_files
from tests.factories.effects import LEAVING, leaving_bundle
from tests.factories.policy import small_bundle

BUNDLE = leaving_bundle()
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DONE = Done("suspend", "g1", NOW, "c1", "test", "T-1", "acct_7", BUNDLE.digest)


#: The same, with an action beside which the earlier one stands, and one that reopens.
KEEPING = bundle_from_files(
    {
        **LEAVING,
        "actions.yaml": LEAVING["actions.yaml"]
        + "uphold: {title: Let it stand, approvals: 1, reversible: false, keeps: true}\n"
        + "reopen: {title: Reopen, approvals: 1, reversible: false, reopens: true}\n",
    }
)


def keys(action: str) -> list[str]:
    return [each.key for each in effects_of(BUNDLE, replace(DONE, action=action))]


def test_an_action_causes_what_its_destinations_take() -> None:
    assert keys("ban") == ["act:g1:platform", "reply:g1:desk", "set_status:g1:desk"]


def test_an_action_that_names_no_destination_causes_nothing() -> None:
    assert keys("no_action") == []


def test_effects_carry_ids_and_the_macros_name() -> None:
    reply = effects_of(BUNDLE, replace(DONE, action="ban"))[1]
    assert reply.data == {
        "action": "ban",
        "origin": "g1",
        "source": "test",
        "external_id": "T-1",
        "subject_id": "acct_7",
        "policy": BUNDLE.digest,
        "macro": "banned",
    }


def test_an_action_that_lasts_also_causes_its_end_after_it_has_been_done() -> None:
    act, end = effects_of(BUNDLE, DONE)
    assert (act.key, act.data["until"]) == ("act:g1:platform", "2026-03-09T09:30:00.000000Z")
    assert (end.kind, end.key) == (EffectKind.REVERSE, "reverse:g1:platform")
    assert (end.not_before, end.after) == (NOW + timedelta(days=7), act.key)
    assert (end.data["action"], end.data["reverses"]) == ("unsuspend", "suspend")


def test_undoing_has_the_key_of_the_end_that_was_to_come_by_itself() -> None:
    lifting = replace(DONE, action="unsuspend", origin="g2")
    undoing = effects_of(BUNDLE, lifting, [Stands("suspend", "g1")])
    assert [each.key for each in undoing] == ["reverse:g1:platform"]
    assert undoing[0].not_before is None
    assert undoing[0].data["origin"] == "g2"
    assert undoing[0].data["undoes"] == "g1"


def test_the_inverse_of_an_action_that_does_not_stand_is_an_action_like_any_other() -> None:
    assert keys("unsuspend") == ["act:g1:platform"]


def test_what_was_done_twice_is_undone_twice() -> None:
    twice = [Stands("suspend", "g1"), Stands("suspend", "g2")]
    undoing = effects_of(BUNDLE, replace(DONE, action="unsuspend", origin="g3"), twice)
    assert [each.key for each in undoing] == ["reverse:g1:platform", "reverse:g2:platform"]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], []),
        (["no_action", "warn"], []),
        (["suspend"], ["suspend"]),
        (["suspend", "unsuspend"], ["unsuspend"]),
        (["suspend", "warn"], ["suspend"]),
        (["suspend", "unsuspend", "suspend"], ["suspend"]),
        (["unsuspend"], ["unsuspend"]),
        (["suspend", "suspend", "unsuspend"], ["unsuspend"]),
        (["suspend", "ban"], ["suspend", "ban"]),
        (["an action of an older bundle", "suspend"], ["suspend"]),
    ],
)
def test_what_stands_is_what_was_done_and_not_undone(
    history: list[str], expected: list[str]
) -> None:
    past = [Carried(f"g{number}", action, number) for number, action in enumerate(history)]
    assert [each.action for each in standing(past, BUNDLE.actions)] == expected


@pytest.mark.parametrize(
    ("history", "action", "undone"),
    [
        (["suspend"], "unsuspend", ["g0"]),
        (["suspend", "suspend"], "unsuspend", ["g0", "g1"]),
        (["suspend", "unsuspend"], "suspend", []),
        (["unsuspend"], "suspend", []),
        (["ban", "lift_ban"], "ban", []),
        (["ban", "lift_ban", "ban"], "lift_ban", ["g2"]),
        (["ban"], "warn", []),
    ],
)
def test_an_undoing_is_the_inverse_of_what_was_done_and_no_lasting_action(
    history: list[str], action: str, undone: list[str]
) -> None:
    past = [Carried(f"g{number}", each, number) for number, each in enumerate(history)]
    found = undone_by(action, standing(past, BUNDLE.actions), BUNDLE.actions)
    assert [each.origin for each in found] == undone


@pytest.mark.parametrize(
    ("history", "action", "replaced"),
    [
        (["suspend"], "warn", ["g0"]),
        (["suspend"], "ban", ["g0"]),
        (["suspend"], "suspend", []),
        (["suspend"], "unsuspend", []),
        (["suspend"], "uphold", []),
        (["suspend"], "reopen", []),
        (["suspend", "warn"], "ban", []),
        (["suspend", "uphold"], "warn", ["g0"]),
        (["suspend", "unsuspend"], "warn", []),
        (["ban", "lift_ban", "suspend"], "no_action", ["g2"]),
    ],
)
def test_a_later_decision_about_the_same_content_takes_the_place_of_an_earlier_one(
    history: list[str], action: str, replaced: list[str]
) -> None:
    past = [Carried(f"g{number}", each, 1) for number, each in enumerate(history)]
    actions = KEEPING.actions
    stands = standing(past, actions)
    found = replaced_by(Carried("g9", action, 1), stands, actions)
    assert [each.origin for each in found] == replaced
    assert replaced_by(Carried("g9", action, 2), stands, actions) == [], "content of its own"


def test_what_is_replaced_is_undone_by_its_own_inverse_before_the_new_action_is_done() -> None:
    banning = replace(DONE, action="ban", origin="g2")
    undoing, act, *_ = effects_of(BUNDLE, banning, replaces=[Stands("suspend", "g1")])
    assert (undoing.key, undoing.data["action"]) == ("reverse:g1:platform", "unsuspend")
    assert (act.key, act.after) == ("act:g2:platform", undoing.key)


@given(st.lists(st.sampled_from(["suspend", "unsuspend", "ban", "lift_ban", "warn"])))
def test_no_action_stands_beside_its_own_inverse(history: list[str]) -> None:
    past = [Carried(f"g{number}", action, number) for number, action in enumerate(history)]
    stands = {each.action for each in standing(past, BUNDLE.actions)}
    assert not any(BUNDLE.actions[action].inverse in stands for action in stands)


def test_a_bundle_says_with_which_actions_machines_cause_something() -> None:
    assert closes_with_effects(small_bundle()) == frozenset()
    rules = LEAVING["rules.yaml"].replace(
        "action: no_action, reason: Spam", "action: warn, reason: Spam"
    )
    assert closes_with_effects(bundle_from_files({**LEAVING, "rules.yaml": rules})) == {"warn"}
