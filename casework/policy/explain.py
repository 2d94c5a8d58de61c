"""Why a case was decided as it was: each rule's truth and the values it read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.policy.evaluate import cleaned, decide, frame
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
    laid_out = frame(bundle, [row])
    values = cleaned(laid_out, program).row(0, named=True)
    truth = truths(program, cleaned(laid_out, program)).row(0, named=True)
    [outcome] = decide(bundle, laid_out)
    return [
        RuleResult(
            rule_id=rule.id,
            route=str(rule.route),
            truth=truth[f"r{i}"],
            values={name: values[name] for name in program.reads[i]},
            decisive=rule.id == outcome["rule_id"],
            undecided=truth[f"r{i}"] is None
            and any(values[name] is None for name in program.wanted[i]),
        )
        for i, rule in enumerate(program.rules)
    ]
