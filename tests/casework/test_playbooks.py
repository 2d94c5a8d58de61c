"""Playbooks that ask: the way that answers take, and what lints."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.playbooks import Choice, Playbook, Step, walk
from casework.policy.bundle import load_bundle
from casework.policy.lint import lint
from casework.resources import resource
from tests.factories.effects import written
from tests.factories.playbooks import ASKING, TREE, asking_bundle


def asked(answers: dict[str, str]) -> tuple[list[str], list[str], str | None]:
    way = walk(asking_bundle().trees["threats"], answers)
    said = way.suggestion
    return (
        [each.step.id for each in way.asked],
        [step.id for step in way.missing],
        said and (said.action or said.escalate_to),
    )


def test_answers_lead_from_step_to_step_and_the_last_that_speaks_for_something_counts() -> None:
    assert asked({}) == (["kind"], ["kind"], None)
    assert asked({"kind": "figure"}) == (["kind"], [], "no_action")
    assert asked({"kind": "threat"}) == (["kind", "danger"], ["danger"], None)
    assert asked({"kind": "threat", "danger": "yes"}) == (["kind", "danger"], [], "legal")
    far = {"kind": "threat", "danger": "no"}
    assert asked(far) == (["kind", "danger", "before"], [], None)
    assert asked({**far, "before": "no"})[2] == "suspend"


def test_answers_off_the_way_and_answers_nobody_offered_count_for_nothing() -> None:
    assert asked({"kind": "figure", "before": "yes"})[2] == "no_action"
    assert asked({"kind": "nonsense"}) == (["kind"], ["kind"], None)


@given(st.sets(st.integers(0, 4)), st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_checklist_asks_everything_whatever_is_ticked(ticked: set[int], must: list[bool]) -> None:
    steps = {
        f"s{n}": Step(f"s{n}", "?", "", must[n], (Choice("done", "Done", f"s{n + 1}"),))
        for n in range(4)
    } | {"s4": Step("s4", "?", "", must[4], (Choice("done", "Done"),))}
    way = walk(Playbook("list", steps), {f"s{n}": "done" for n in ticked})
    assert [each.step.id for each in way.asked] == list(steps)
    assert {step.id for step in way.missing} == {
        f"s{n}" for n in range(5) if must[n] and n not in ticked
    }


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("next: danger", "next: dangr", "5:37: unknown step `dangr`|did you mean `danger`?"),
        ("action: no_action", "action: no_acton", "6:49: unknown action `no_acton`|`no_action`?"),
        ("escalate_to: legal", "escalate_to: legl", "11:40: unknown queue `legl`|`legal`?"),
        (
            "next: before",
            "action: ban",
            "13:1: no answer leads to step `before`|begins with `kind`",
        ),
        (
            "action: suspend}\n",
            "next: kind}\n",
            "16:33: this leads back to step `kind`|an end",
        ),
        ("next: before", "next: danger", "12:31: this leads back to step `danger`|end"),
        ("next: before", "nxt: before", "12:25: unknown key `nxt`|did you mean `next`?"),
        ("next: before", "next: before, action: ban, escalate_to: legal", "two things at once|"),
        ("ask: What", "aks: What", "2:3: unknown key `aks`|did you mean `ask`?"),
        ("required: true", "required: 1", "3:13: `required`|"),
        ("answers:\n    threat", "answer:\n    threat", "unknown key `answer`|`answers`?"),
    ],
)
def test_a_fault_in_a_playbook_is_told_with_its_place_and_a_way_out(
    tmp_path: Path, before: str, after: str, fault: str
) -> None:
    tree = TREE.replace(before, after, 1)
    assert tree != TREE
    found = lint(written(tmp_path, {**ASKING, "playbooks/threats.yaml": tree}))
    told = [each.render() for each in found]
    place, hint = fault.split("|")
    assert any(place in each and hint in each for each in told)
    assert all(each.startswith("playbooks/threats.yaml:") for each in told)
    assert all("^" in each for each in told), "with the line and a caret"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "steps by id, or a list"),
        ("just words", "steps by id, or a list"),
        ("- {id: a, ask: A}\n- {id: a, ask: B}\n", "duplicate step `a`"),
        ("- {id: a, ask: A, next: b}\n", "unknown key `next`"),
    ],
)
def test_a_checklist_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    found = lint(written(tmp_path, {**ASKING, "playbooks/threats.yaml": text}))
    assert told in found[0].message


def test_the_default_bundle_asks_and_suggests_what_its_queues_allow() -> None:
    bundle = load_bundle(resource("policies/default"))
    assert {"threats", "self_harm", "account_compromise", "child_safety"} <= set(bundle.trees)
    for name, playbook in bundle.trees.items():
        queues = [bundle.queues[r.queue] for r in bundle.rules if r.playbook == name and r.queue]
        assert queues, f"no rule has playbook {name}"
        for choice in (c for step in playbook.steps.values() for c in step.choices):
            allowed = {None}.union(*(q.actions for q in queues), *(q.escalates_to for q in queues))
            assert {choice.action, choice.escalate_to} <= allowed, (name, choice.id)
