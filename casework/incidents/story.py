"""The whole story of an incident, as its report and its commands tell it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from casework.incidents.durations import Move, Span, durations
from casework.incidents.missed import Missed
from casework.incidents.partner_tasks import PartnerTask
from casework.incidents.roles import Tenure
from casework.incidents.states import IncidentStatus
from casework.incidents.timeline import Moment
from casework.ledger.entries import Action


@dataclass(frozen=True, slots=True)
class Note:
    """A note; ``text`` stays in the store."""

    number: int
    text: str
    corrects: int | None
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Update:
    """What an audience was told; ``text`` stays in the store."""

    number: int
    audience: str
    macro: str
    text: str
    digest: str
    told_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What will be done afterwards; ``what`` stays in the store."""

    number: int
    what: str
    owner: str
    due: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class HoldTold:
    """A hold, and how many cases it kept from being closed; ``reason`` stays in the store."""

    id: str
    scope: str
    value: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_at: datetime | None
    held: int


@dataclass(frozen=True, slots=True)
class Decided:
    """How many decisions about the incident's cases one actor took with one action."""

    actor: str
    actor_kind: str
    verdict: str
    action: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Story:
    """Everything about one incident. ``cases`` are those under it now, with their status."""

    id: str
    title: str
    severity: str
    category: str | None
    status: IncidentStatus
    opened_by: str
    opened_at: datetime
    detected_at: datetime
    detected_by: str  # how it is known: told, the first case, the opening
    closed_at: datetime | None
    cases: Mapping[str, str]
    tenures: Sequence[Tenure]
    moments: Sequence[Moment]
    notes: Sequence[Note]
    tasks: Sequence[PartnerTask]
    updates: Sequence[Update]
    follow_ups: Sequence[FollowUp]
    holds: Sequence[HoldTold]
    decisions: Sequence[Decided]
    missed: Sequence[Missed]

    def without(self, hidden: Collection[str]) -> "Story":
        """The story for somebody who must not know what was decided about some of its cases.

        Decisions are told as numbers over all cases, so none of them is.
        """
        if not hidden:
            return self
        kept = [
            replace(each, cases=tuple(case for case in each.cases if case not in hidden))
            for each in self.missed
        ]
        return replace(
            self,
            moments=[each for each in self.moments if each.chain not in hidden],
            decisions=(),
            missed=[each for each in kept if each.cases],
        )

    def spans(self) -> list[Span]:
        """How long it took from detection to each moment that matters."""
        moves = [
            Move(each.at, IncidentStatus(each.data["after"]))
            for each in self.moments
            if each.action in (Action.INCIDENT_MOVED, Action.INCIDENT_CLOSED)
        ]
        return durations(self.detected_at, self.opened_at, self.tenures, moves)
