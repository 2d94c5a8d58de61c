"""Who may do and see what in the console: one table. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from casework.gates import Role
from casework.policy.model import Queue

#: A person who works in every queue.
EVERY_QUEUE: Final = "*"


class Capability(StrEnum):
    """Something a role is let do. What may be answered at a gate is the guard's to say."""

    WORK = "work"  # take cases from one's queues, read them, answer
    LEAD = "lead"  # boards, trends and the work of others
    READ_ALL = "read_all"  # every case, whatever its queue
    STORY = "story"  # one case's whole history
    AUDIT = "audit"  # the history of all: search, verify, export
    ADMINISTER = "administer"  # people, their accounts and their sessions


CAPABILITIES: Final[Mapping[Role, frozenset[Capability]]] = {
    Role.ANALYST: frozenset({Capability.WORK}),
    Role.SENIOR: frozenset({Capability.WORK}),
    Role.LEAD: frozenset({Capability.WORK, Capability.LEAD, Capability.STORY}),
    Role.QA: frozenset({Capability.WORK}),
    Role.PARTNER: frozenset({Capability.WORK}),
    Role.AUDITOR: frozenset({Capability.READ_ALL, Capability.STORY, Capability.AUDIT}),
    Role.ADMIN: frozenset({Capability.ADMINISTER}),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who has signed in."""

    id: str
    name: str
    roles: frozenset[str]
    queues: frozenset[str]

    def may(self, capability: Capability) -> bool:
        """Whether one of the viewer's roles allows it."""
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

    def may_read(self, case_queues: Collection[str]) -> bool:
        """Whether the viewer may open a case that is, or was, in some queues.

        A case that a machine closed has been in none: who works in every queue may open it.
        """
        if self.may(Capability.READ_ALL) or self.is_in(EVERY_QUEUE):
            return True
        return any(map(self.is_in, case_queues))
