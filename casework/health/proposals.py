"""What may be done about an alert: a sentence that a lead can act on. Pure."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from casework.health.alerts import Alert
from casework.health.queueing import people_needed

#: The share of gates that is to be begun within the promised first touch.
AIM: Final = 0.9
#: Hours a day that somebody works.
SHIFT_HOURS: Final = 8.0

#: What too few people make unusual.
_SLOW: Final = frozenset(
    {"first_touch", "decision_time", "sla_first_touch", "sla_decision"}
    | {"gates_opened", "gates_decided"}
)


@dataclass(frozen=True, slots=True)
class Load:
    """What a queue was asked for on a day, and by how many people it was worked on.

    ``hours`` are those in which it is open; ``handling`` and ``promised``, the first touch, are in
    seconds.
    """

    queue: str
    arrivals: int
    handling: float
    promised: float
    hours: float
    people: int

    @property
    def short_by(self) -> int:
        """How many people more than there were the day would have taken, by Erlang C."""
        if not self.arrivals or not self.handling:
            return 0
        erlangs = self.arrivals * self.handling / (self.hours * 3600)
        at_once = people_needed(erlangs, AIM, self.promised / self.handling)
        return max(0, ceil(at_once * self.hours / SHIFT_HOURS) - self.people)


def propose(alert: Alert, load: Load | None) -> str:
    """What may be done; the queue's load is told where the alert is of one."""
    if alert.measure in _SLOW and load is not None and load.short_by:
        return (
            f"Queue {load.queue} is short by {load.short_by}: {load.people} decided there, for "
            f"{load.arrivals} gates of {load.handling / 60:.0f} min each. Lend it people, or try "
            f"numbers with `casework health staffing --queue {load.queue}`."
        )
    table = _MORE if alert.value > alert.expected else _LESS
    text = table.get(alert.measure, _ANY)
    named = alert.by in ("rule", "provider")
    return text.format(name=alert.group if named else _UNNAMED.get(text, ""))


#: What may be done, by what happened; ``{name}`` is what the alert is of.
_ANY: Final = "Look at the cases named here first: `casework cases show CASE`."
_FLOOD: Final = (
    "Something outside has begun: look at the cases named here. If they belong together, open "
    "an incident and hold them from closing: `casework incident open`."
)
_SILENCE: Final = (
    "A source may have fallen silent: see whether it posts and is pulled, and `casework inbox "
    "list` and `casework quarantine list` for what came and could not be read."
)
_BROAD_RULE: Final = (
    "The rule {name} may be too broad: `casework policy explain CASE` for a case named here, "
    "then narrow it in a copy and `casework policy backtest --candidate DIR`."
)
_DEAD_RULE: Final = (
    "The rule {name} decides less than it did: see whether a signal that it reads has become "
    "unknown, or a rule before it takes its cases."
)
_FAILING: Final = (
    "{name} fails: its signals are unknown, and what a rule cannot tell goes to people. Check "
    "its service, its credentials and CASEWORK_PROVIDER_TIMEOUT."
)
_UNCLEAR: Final = (
    "Signals are unknown that rules need: `casework metrics --measure indeterminate --by "
    "signal` names them, `--measure provider_failures` says whether their provider failed."
)
_LATE: Final = (
    "No queue is known to be short for it: look for gates on hold, at partners or locked "
    "(`casework clocks list --breached`), and at the cases named here."
)
_UNDONE: Final = (
    "What was done is taken back: draw a QA sample of the queue or rule that the cases named "
    "here have in common, `casework qa sample PLAN`."
)
#: What stands for a name where an alert is of everything.
_UNNAMED: Final = {
    _BROAD_RULE: "that decides most",
    _DEAD_RULE: "that decided most",
    _FAILING: "A provider",
}
_MORE: Final = {
    "volume": _FLOOD,
    "gates_opened": _FLOOD,
    "automation": _BROAD_RULE,
    "rule_hits": _BROAD_RULE,
    "provider_failures": _FAILING,
    "indeterminate": _UNCLEAR,
    "first_touch": _LATE,
    "decision_time": _LATE,
    "reopened": _UNDONE,
    "reversed": _UNDONE,
}
_LESS: Final = {
    "volume": _SILENCE,
    "gates_opened": _SILENCE,
    "automation": _DEAD_RULE,
    "rule_hits": _DEAD_RULE,
    "gates_decided": _LATE,
    "sla_first_touch": _LATE,
    "sla_decision": _LATE,
    "sla_partner_answer": _LATE,
}
