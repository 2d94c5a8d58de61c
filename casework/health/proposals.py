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
    up = alert.value > alert.expected
    return _MORE.get(alert.measure, _ANY)(alert) if up else _LESS.get(alert.measure, _ANY)(alert)


def _any(alert: Alert) -> str:
    return "Look at the cases named here first: `casework cases show CASE`."


def _volume(alert: Alert) -> str:
    return (
        "Something outside has begun: look at the cases named here. If they belong together, open "
        "an incident and hold them from closing: `casework incident open`."
    )


def _silence(alert: Alert) -> str:
    return (
        "A source may have fallen silent: see whether it posts and is pulled, and `casework inbox "
        "list` and `casework quarantine list` for what came and could not be read."
    )


def _broad_rule(alert: Alert) -> str:
    name = alert.group if alert.by == "rule" else "that decides most"
    return (
        f"The rule {name} may be too broad: `casework policy explain CASE` for a case named here, "
        "then narrow it in a copy and `casework policy backtest --candidate DIR`."
    )


def _dead_rule(alert: Alert) -> str:
    name = alert.group if alert.by == "rule" else "that decided most"
    return (
        f"The rule {name} decides less than it did: see whether a signal that it reads has become "
        "unknown, or a rule before it takes its cases."
    )


def _provider(alert: Alert) -> str:
    name = alert.group if alert.by == "provider" else "A provider"
    return (
        f"{name} fails: its signals are unknown, and what a rule cannot tell goes to people. Check "
        "its service, its credentials and CASEWORK_PROVIDER_TIMEOUT."
    )


def _unclear(alert: Alert) -> str:
    return (
        "Signals are unknown that rules need: `casework metrics --measure indeterminate --by "
        "signal` names them, `--measure provider_failures` says whether their provider failed."
    )


def _slow(alert: Alert) -> str:
    return (
        "No queue is known to be short for it: look for gates on hold, at partners or locked "
        "(`casework clocks list --breached`), and at the cases named here."
    )


def _undone(alert: Alert) -> str:
    return (
        "What was done is taken back: draw a QA sample of the queue or rule that the cases named "
        "here have in common, `casework qa sample PLAN`."
    )


_ANY: Final = _any
_MORE: Final = {
    "volume": _volume,
    "gates_opened": _volume,
    "automation": _broad_rule,
    "rule_hits": _broad_rule,
    "provider_failures": _provider,
    "indeterminate": _unclear,
    "first_touch": _slow,
    "decision_time": _slow,
    "reopened": _undone,
    "reversed": _undone,
}
_LESS: Final = {
    "volume": _silence,
    "gates_opened": _silence,
    "automation": _dead_rule,
    "rule_hits": _dead_rule,
    "gates_decided": _slow,
    "sla_first_touch": _slow,
    "sla_decision": _slow,
    "sla_partner_answer": _slow,
}
