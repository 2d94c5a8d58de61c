"""Who may do and see what in the console: one table. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from casework.gates import Role
from casework.policy.model import Queue
from casework.vendors import EVERY_QUEUE


class Capability(StrEnum):
    """Something a role is let do. What may be answered at a gate is the guard's to say."""

    WORK = "work"  # take cases from one's queues, read them, answer
    LEAD = "lead"  # boards and the work of others
    OVERVIEW = "overview"  # what is of all queues: health, incidents, quarantine, policy, plans
    RESTRICT = "restrict"  # say who may know of a case
    READ_ALL = "read_all"  # every case, whatever its queue
    STORY = "story"  # one case's whole history
    AUDIT = "audit"  # the history of all: search, verify, export
    ADMINISTER = "administer"  # people, their accounts and their sessions


CAPABILITIES: Final[Mapping[Role, frozenset[Capability]]] = {
    Role.ANALYST: frozenset({Capability.WORK}),
    Role.SENIOR: frozenset({Capability.WORK}),
    Role.LEAD: frozenset(
        {
            Capability.WORK,
            Capability.LEAD,
            Capability.OVERVIEW,
            Capability.RESTRICT,
            Capability.STORY,
        }
    ),
    Role.QA: frozenset({Capability.WORK}),
    Role.PARTNER: frozenset({Capability.WORK}),
    Role.AUDITOR: frozenset({Capability.READ_ALL, Capability.STORY, Capability.AUDIT}),
    Role.ADMIN: frozenset({Capability.ADMINISTER}),
}


#: What nobody has whose vendor sees no further than the queues it has been given.
UNBOUNDED: Final = frozenset(
    {
        Capability.OVERVIEW,
        Capability.RESTRICT,
        Capability.READ_ALL,
        Capability.AUDIT,
        Capability.ADMINISTER,
    }
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who has signed in."""

    id: str
    name: str
    roles: frozenset[str]
    queues: frozenset[str]  # as far as their vendor has been given them
    bounded_by: str | None = None  # that vendor; None for our own, and of one without limits

    def may(self, capability: Capability) -> bool:
        """Whether one of the viewer's roles allows it, and no vendor's bounds forbid it."""
        if self.bounded_by is not None and capability in UNBOUNDED:
            return False
        return any(capability in CAPABILITIES[Role(role)] for role in self.roles)

    def is_in(self, queue: str) -> bool:
        """Whether a queue is among the viewer's."""
        return self.may(Capability.WORK) and (EVERY_QUEUE in self.queues or queue in self.queues)

    def answers_in(self, queue: Queue) -> bool:
        """Whether the viewer's queues and roles let them answer in a queue."""
        return self.is_in(queue.id) and bool(self.roles & queue.roles)

    def sees(self, queue: Queue) -> bool:
        """Whether the viewer is shown a queue: they answer there, or lead who does."""
        return self.answers_in(queue) or (self.may(Capability.LEAD) and self.is_in(queue.id))

    @property
    def reads(self) -> frozenset[str] | None:
        """The queues of which the viewer may open every case; None: every case there is.

        A case that a machine closed has been in none: who works in every queue may open it.
        """
        if self.may(Capability.READ_ALL) or self.is_in(EVERY_QUEUE):
            return None
        return self.queues if self.may(Capability.WORK) else frozenset()

    def may_read(self, case_queues: Collection[str]) -> bool:
        """Whether the viewer may open a case that is, or was, in some queues."""
        reads = self.reads
        return reads is None or not reads.isdisjoint(case_queues)
