"""What QA plans say about the rest of a bundle, and about themselves."""

from collections.abc import Collection

from pydantic import ValidationError

from casework.policy.document import Path
from casework.policy.draft import Draft
from casework.policy.faults import nearest
from casework.qa.plans import Method, Plan


def check_qa(draft: Draft) -> None:
    """Note every name in qa.yaml that is not declared and every term that does not fit."""
    for name, plan in draft.qa.items():
        if _is_whole(draft, name):
            _names(draft, name, plan)
            _strata(draft, name, plan)


def _is_whole(draft: Draft, name: str) -> bool:
    """Whether all of a plan fits its schema; what does not is noted already, and left holes."""
    try:
        Plan.model_validate(draft.documents["qa.yaml"].data[name])
    except ValidationError:
        return False
    return True


def _names(draft: Draft, name: str, plan: Plan) -> None:
    written, left_out = draft.written, plan.exclusions
    _known(draft, (name, "queues"), plan.queues, "queue", written["queues"])
    _known(draft, (name, "exclusions", "rules"), left_out.rules, "rule", written["rules"])
    _known(draft, (name, "exclusions", "actions"), left_out.actions, "action", written["actions"])


def _known(
    draft: Draft, path: Path, names: Collection[str], what: str, known: Collection[str]
) -> None:
    for each in sorted(set(names) - set(known)):
        draft.add("qa", path, f"unknown {what} `{each}`", nearest(each, known, what))


def _strata(draft: Draft, name: str, plan: Plan) -> None:
    """A weight or a least number can only be kept for what the strata tell apart."""
    for key in ("risk", "expected_errors"):
        for trait in sorted(set(getattr(plan, key)) - set(plan.strata)):
            hint = f"add {trait} to the strata, or leave it out here"
            draft.add("qa", (name, key, trait), f"`{trait}` is not among the strata", hint)
    if plan.allocation.earlier_rounds and plan.allocation.method is not Method.NEYMAN:
        path = (name, "allocation", "earlier_rounds")
        draft.add("qa", path, "only Neyman's method uses error rates", "method: neyman")
    if plan.allocation.per_person and "person" not in plan.strata:
        path = (name, "allocation", "per_person")
        draft.add("qa", path, "people are not told apart", "add person to the strata")
    if plan.ramp and not {"person", "vendor"} & set(plan.strata):
        draft.add("qa", (name, "ramp"), "people are not told apart", "add person to the strata")
