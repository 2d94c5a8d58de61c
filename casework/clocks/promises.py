"""Promises: the targets of each queue and severity, their calendar, and their ladder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from casework.cases import Severity
from casework.clocks.calendars import ALWAYS, Calendar
from casework.clocks.ladders import NO_LADDER, Ladder
from casework.clocks.model import ClockKind

#: The entry that holds for every queue that says nothing else.
EVERY_QUEUE: Final = "default"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised about a gate of one queue and severity."""

    targets: Mapping[ClockKind, timedelta]
    calendar: Calendar = ALWAYS
    ladder: Ladder = NO_LADDER


@dataclass(frozen=True, slots=True)
class Promises:
    """Every promise of a bundle. The default queue has one for each severity."""

    by_queue: Mapping[str, Mapping[Severity, Promise]]
    partners: frozenset[str] = field(default_factory=frozenset)  # queues of partner teams

    def of(self, queue: str, severity: str) -> Promise:
        """What holds in a queue for a severity."""
        level = Severity(severity)
        own = self.by_queue.get(queue, {}).get(level)
        return own or self.by_queue[EVERY_QUEUE][level]

    def kinds(self, queue: str, severity: str) -> tuple[ClockKind, ...]:
        """The clocks that a gate has when it opens in a queue."""
        targets = self.of(queue, severity).targets
        owed = queue in self.partners
        return tuple(k for k in targets if owed or k is not ClockKind.PARTNER_ANSWER)


def _promise(first_touch: int, decision: int) -> Promise:
    minutes = {ClockKind.FIRST_TOUCH: first_touch, ClockKind.DECISION: decision}
    targets = {kind: timedelta(minutes=number) for kind, number in minutes.items()}
    return Promise(MappingProxyType(targets))


#: What holds under a bundle that says nothing about clocks: so that no gate waits unseen.
DEFAULTS: Final = Promises(
    MappingProxyType(
        {
            EVERY_QUEUE: MappingProxyType(
                {
                    Severity.P0: _promise(15, 60),
                    Severity.P1: _promise(60, 4 * 60),
                    Severity.P2: _promise(4 * 60, 24 * 60),
                    Severity.P3: _promise(24 * 60, 72 * 60),
                    Severity.P4: _promise(48 * 60, 168 * 60),
                }
            )
        }
    )
)
