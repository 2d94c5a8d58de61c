"""Why a case was decided as it was: each rule's truth and the values it read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casework.cases import Route
from casework.policy.evaluate import cleaned, frame
from casework.policy.model import Bundle
from casework.policy.program import compile_bundle, truths


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule made of a case. ``truth`` is None where it is unknown.

    ``undecided`` says that it is unknown for want of a signal of a provider in use.
    """

    rule_id: str
    route: str
    truth: bool | None
    values: Mapping[str, Any]
    decisive: bool
    undecided: bool


def explain(bundle: Bundle, row: Mapping[str, Any]) -> list[RuleResult]:
    """Evaluate every rule over one row, in order.

    The decisive rule is the one whose queue and action the outcome has: the first true one, or
    the undecided one that kept a machine from closing the case. The default has none.
    """
    program = compile_bundle(bundle)
    columns = cleaned(frame(bundle, [row]), program)
    values = columns.row(0, named=True)
    _, *truth = truths(program, columns).row(0)
    undecided = [
        true is None and any(values[name] is None for name in wanted)
        for true, wanted in zip(truth, program.wanted, strict=True)
    ]
    decisive = _decisive([rule.route for rule in program.rules], truth, undecided)
    return [
        RuleResult(
            rule_id=rule.id,
            route=str(rule.route),
            truth=truth[i],
            values={name: values[name] for name in program.reads[i]},
            decisive=i == decisive,
            undecided=undecided[i],
        )
        for i, rule in enumerate(program.rules)
    ]


def _decisive(
    routes: Sequence[Route], truth: Sequence[bool | None], undecided: Sequence[bool]
) -> int | None:
    """Which rule decides, as ``evaluate`` says it of many cases at once; None: the default."""
    first = next((i for i, true in enumerate(truth) if true), None)
    if first is None or routes[first] is not Route.CLOSE:
        return first
    doubts = (i for i in range(first) if undecided[i] and routes[i] is not Route.CLOSE)
    return next(doubts, first)
