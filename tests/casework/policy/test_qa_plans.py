"""QA plans in a bundle: what lints, and what a bundle without them has."""

import pytest

from casework.errors import PolicyError
from casework.policy.bundle import bundle_from_files, load_bundle
from casework.qa.plans import TAXONOMY
from casework.resources import resource
from tests.factories.policy import FILES

PLAN = """\
daily:
  title: Every day
  window_days: 1
  strata: [person, queue]
  allocation: {size: 10, per_person: 2}
"""


def test_a_bundle_without_plans_has_none_and_the_usual_classes_of_error() -> None:
    bundle = bundle_from_files(FILES)
    assert bundle.qa == {}
    assert bundle.taxonomy == TAXONOMY


def test_a_bundle_names_classes_of_error_of_its_own() -> None:
    files = {**FILES, "taxonomy.yaml": "late: {title: Late, description: Right but too late.}\n"}
    assert set(bundle_from_files(files).taxonomy) == {"late"}


def test_the_default_bundle_has_plans_and_the_seven_classes() -> None:
    bundle = load_bundle(resource("policies/default"))
    assert {"daily", "machine", "new_people"} == set(bundle.qa)
    assert set(bundle.taxonomy) == set(TAXONOMY)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("[person, queue]", "[queue]", "people are not told apart"),
        ("[person, queue]", "[person, colour]", "`1` is 'colour'"),
        ("window_days: 1", "window_days: 0", "`window_days`"),
        ("title: Every day", "titel: Every day", "unknown key `titel`"),
        ("{size: 10,", "{size: none,", "`size`"),
        ("{size: 10,", "{size: 10, earlier_rounds: 3,", "only Neyman's method"),
        ("allocation", "queues: [genral]\n  allocation", "unknown queue `genral`"),
        ("allocation", "risk: {severity: {P0: 2}}\n  allocation", "`severity` is not among"),
        ("allocation", "exclusions: {rules: [spm]}\n  allocation", "unknown rule `spm`"),
        ("allocation", "reviewers: [boss]\n  allocation", "boss"),
    ],
)
def test_a_fault_in_a_plan_is_told_with_its_place(before: str, after: str, told: str) -> None:
    files = {**FILES, "qa.yaml": PLAN.replace(before, after, 1)}
    with pytest.raises(PolicyError) as refusal:
        bundle_from_files(files)
    assert told in refusal.value.message
    assert "qa.yaml:" in refusal.value.message


def test_a_ramp_needs_people_or_vendors_told_apart() -> None:
    ramp = "ramp: {start: 1.0, half_life_days: 7}\n  allocation: {size: 10}\n"
    text = PLAN.replace("allocation: {size: 10, per_person: 2}\n", ramp)
    bundle_from_files({**FILES, "qa.yaml": text.replace("[person, queue]", "[vendor]")})
    with pytest.raises(PolicyError, match="people are not told apart"):
        bundle_from_files({**FILES, "qa.yaml": text.replace("[person, queue]", "[queue]")})
