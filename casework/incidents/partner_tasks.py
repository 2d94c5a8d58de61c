"""What partner teams owe an incident, and by when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from casework.clocks.calendars import ALWAYS, instant_after
from casework.policy.model import Bundle


class TaskStatus(StrEnum):
    """How a task stands at a moment; overdue is computed, never stored."""

    OWED = "owed"
    OVERDUE = "overdue"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PartnerTask:
    """One thing that a partner team owes. ``what`` is text: it stays in the store."""

    number: int
    partner: str
    what: str
    due: datetime
    asked_by: str
    asked_at: datetime
    done_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def settled_at(self) -> datetime | None:
        """When it was done or cancelled, if it was."""
        return self.done_at or self.cancelled_at

    def status(self, now: datetime) -> TaskStatus:
        """How it stands at ``now``."""
        if self.done_at:
            return TaskStatus.DONE
        if self.cancelled_at:
            return TaskStatus.CANCELLED
        return TaskStatus.OVERDUE if now > self.due else TaskStatus.OWED

    def late(self, now: datetime) -> timedelta:
        """How long after its time it came, or has not come yet; zero where it is not late."""
        if self.cancelled_at and not self.done_at:
            return timedelta(0)
        return max((self.done_at or now) - self.due, timedelta(0))


def due_within(
    bundle: Bundle, partner: str, severity: str, length: timedelta, now: datetime
) -> datetime:
    """When a partner team has had so much of its own business time.

    Its calendar is that of its queue for the severity; a team without a queue works at all hours.
    """
    queues = (queue.id for queue in bundle.queues.values() if queue.partner == partner)
    queue = next(queues, None)
    calendar = ALWAYS if queue is None else bundle.promises.of(queue, severity).calendar
    return instant_after(calendar, now, length)


def owed(tasks: Iterable[PartnerTask]) -> list[PartnerTask]:
    """Those that are neither done nor cancelled, the first due first."""
    return sorted(
        (each for each in tasks if each.settled_at is None),
        key=lambda each: (each.due, each.number),
    )
