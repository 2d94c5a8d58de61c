"""What the policy missed: where the machine's route and what people then did fell apart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from casework.cases import Route
from casework.gates import Verdict


class Miss(StrEnum):
    """How the policy was wrong about a case of the incident."""

    CLOSED = "closed by the machine"
    WOULD_CLOSE = "would have been closed, but for a hold; a person acted"
    OTHER_ACTION = "a person did something else than was proposed"
    HANDED_OVER = "a person handed it over to another queue"
    NO_RULE = "no rule caught it"
    UNDECIDED = "a rule was undecided for want of a signal"


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """One case: what the machine decided, and how people ended it.

    ``verdict`` and ``action`` are those of the last gate that was decided; both are None where no
    person has. What was ``proposed`` is for a held case what it would have been closed with.
    ``undecided`` names the rules that lacked a signal before one decided.
    """

    case_id: str
    route: str
    rule_id: str | None
    proposed: str | None
    held: bool = False
    verdict: str | None = None
    action: str | None = None
    handed_over: bool = False
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missed:
    """Cases that the same rule missed in the same way; the rule is None where there was none."""

    miss: Miss
    rule_id: str | None
    cases: tuple[str, ...]


def missed(outcomes: Iterable[CaseOutcome]) -> list[Missed]:
    """Group the cases that the policy got wrong, by way and rule, the most cases first."""
    found: defaultdict[tuple[Miss, str | None], list[str]] = defaultdict(list)
    for each in outcomes:
        for miss, rule in _misses(each):
            found[miss, rule].append(each.case_id)
    groups = [Missed(miss, rule, tuple(sorted(cases))) for (miss, rule), cases in found.items()]
    order = list(Miss)
    return sorted(
        groups, key=lambda each: (order.index(each.miss), -len(each.cases), each.rule_id or "")
    )


def _misses(each: CaseOutcome) -> Sequence[tuple[Miss, str | None]]:
    ways: list[tuple[Miss, str | None]] = [(Miss.UNDECIDED, rule) for rule in each.undecided]
    if each.route == Route.CLOSE:
        return [(Miss.CLOSED, each.rule_id), *ways]
    if each.rule_id is None:
        ways.append((Miss.NO_RULE, None))
    if each.handed_over:
        ways.append((Miss.HANDED_OVER, each.rule_id))
    decided = each.verdict in (Verdict.APPROVE, Verdict.REFUSE)
    done = each.action if each.verdict == Verdict.APPROVE else None
    if decided and done != each.proposed:
        ways.append((Miss.WOULD_CLOSE if each.held else Miss.OTHER_ACTION, each.rule_id))
    return ways
