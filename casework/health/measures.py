"""What is measured: each measure's name, kind, unit, and the population it speaks of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a measure is, and so how it is summed up and compared."""

    COUNT = "count"  # how many
    SHARE = "share"  # a part of a whole: hits of n
    RATIO = "ratio"  # one count for another; not a part of it, and may exceed one
    LENGTH = "length"  # lengths of time, as percentiles


class Worse(StrEnum):
    """Which way a measure gets worse."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure; docs/health.md defines each at length."""

    name: str
    title: str
    kind: Kind
    population: str
    worse: Worse = Worse.UP


_ALL: Final = (
    Measure("volume", "Cases opened", Kind.COUNT, "cases that arrived", Worse.EITHER),
    Measure("automation", "Closed by machine", Kind.SHARE, "machine's decisions", Worse.EITHER),
    Measure("rule_hits", "Decided by rule", Kind.SHARE, "machine's decisions", Worse.EITHER),
    Measure("indeterminate", "Indeterminate", Kind.SHARE, "machine's decisions"),
    Measure("provider_failures", "Provider failures", Kind.SHARE, "readings behind decisions"),
    Measure("gates_opened", "Gates opened", Kind.COUNT, "gates that opened", Worse.EITHER),
    Measure("gates_decided", "Gates decided", Kind.COUNT, "gates decided", Worse.DOWN),
    Measure("backlog", "Backlog", Kind.COUNT, "gates open at the end"),
    Measure("backlog_age", "Age of the backlog", Kind.LENGTH, "gates open at the end"),
    Measure("overdue", "Overdue", Kind.SHARE, "gates open at the end"),
    Measure("first_touch", "Time to first touch", Kind.LENGTH, "gates first touched"),
    Measure("decision_time", "Time to decision", Kind.LENGTH, "gates decided"),
    Measure("sla_first_touch", "First touch in time", Kind.SHARE, "clocks ended", Worse.DOWN),
    Measure("sla_decision", "Decision in time", Kind.SHARE, "clocks ended", Worse.DOWN),
    Measure("sla_partner_answer", "Partner in time", Kind.SHARE, "clocks ended", Worse.DOWN),
    Measure("reopened", "Reopened", Kind.RATIO, "for each case closed"),
    Measure("reversed", "Reversals asked for", Kind.RATIO, "for each case closed"),
    Measure("qa_errors", "Decisions found wrong", Kind.SHARE, "decisions, by a QA sample"),
    Measure(
        "escalation_precision", "Escalated rightly", Kind.SHARE, "escalated decisions", Worse.DOWN
    ),
    Measure(
        "escalation_recall", "Escalated where due", Kind.SHARE, "decisions to escalate", Worse.DOWN
    ),
)

#: Every measure by its name, in the order in which they are told.
MEASURES: Final = {each.name: each for each in _ALL}


def figure(kind: Kind, value: float | None) -> str:
    """One figure with its unit."""
    if value is None:
        return ""
    if kind is Kind.COUNT:
        return f"{value:,.0f}"
    if kind is Kind.SHARE:
        return f"{value:.1%}"
    if kind is Kind.RATIO:
        return f"{value:.3f}"
    return f"{value / 3600:.1f} h" if value >= 3600 else f"{value / 60:.1f} min"
