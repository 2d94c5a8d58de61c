"""Rights that errors speak against: when pausing is proposed, and who may rule on it. Pure.

Nothing is paused by a figure alone. A figure below a threshold of the bundle makes a proposal, and
a lead confirms or dismisses it, with a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field

from casework.gates import Person, Role
from casework.limits import Withheld, access_over
from casework.qa.estimates import CONFIDENCE, Estimate
from casework.qa.plans import Part, Prose, Share
from casework.vendors import sees


class Training(Part):
    """What somebody must show in training before a paused right is given back."""

    items: int = Field(ge=1, le=1000, strict=True)
    right: Share


class Threshold(Part):
    """rights.yaml, by threshold: below which accuracy, from how much, which rights are in question.

    ``measure`` is the share of golden items that somebody answered rightly, or of their own
    decisions that re-review let stand.
    """

    title: Prose
    measure: Literal["golden", "qa"]
    below: Share
    least: int = Field(ge=1, strict=True)
    window_days: int = Field(30, ge=1, le=3660, strict=True)
    confidence: float = Field(CONFIDENCE, gt=0.5, lt=1)
    denies: frozenset[Withheld] = Field(min_length=1)
    training: Training | None = None


class RightStatus(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    DISMISSED = "dismissed"
    PAUSED = "paused"
    RESTORED = "restored"


class Ruling(StrEnum):
    """What a lead may do about one."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"
    RESTORE = "restore"


#: From which status a ruling leads to which.
MOVES: Final[Mapping[Ruling, tuple[RightStatus, RightStatus]]] = {
    Ruling.CONFIRM: (RightStatus.PROPOSED, RightStatus.PAUSED),
    Ruling.DISMISS: (RightStatus.PROPOSED, RightStatus.DISMISSED),
    Ruling.RESTORE: (RightStatus.PAUSED, RightStatus.RESTORED),
}


class Objection(StrEnum):
    """Why a ruling is refused. Stable codes."""

    ROLE = "role"
    EXPIRED = "expired"
    OWN = "own"
    VENDOR = "vendor"
    STATUS = "status"
    TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Refused:
    """A ruling that is not made, and why."""

    reason: Objection
    message: str


@dataclass(frozen=True, slots=True)
class Trained:
    """What somebody has answered in training since a right was paused."""

    items: int
    right: int

    def suffices(self, asked: Training | None) -> bool:
        """Whether it is as much, and as right, as a threshold asks."""
        if asked is None:
            return True
        return self.items >= asked.items and self.right >= asked.right * self.items

    def as_dict(self) -> dict[str, int]:
        """As plain JSON."""
        return {"items": self.items, "right": self.right}


def falls_below(threshold: Threshold, accuracy: Estimate) -> bool:
    """Whether even the upper confidence limit of an accuracy is below a threshold."""
    return (
        accuracy.n >= threshold.least
        and accuracy.high is not None
        and accuracy.high < threshold.below
    )


def turned(error: Estimate) -> Estimate:
    """An accuracy from an error rate."""
    value, low, high = (
        None if each is None else 1 - each for each in (error.value, error.high, error.low)
    )
    told: dict[str, Any] = error.as_dict() | {"value": value, "low": low, "high": high}
    return Estimate(**told)


@dataclass(frozen=True, slots=True)
class Case:
    """A proposal as whoever rules on it meets it."""

    person: str
    vendor: str | None
    status: RightStatus
    training: Training | None
    trained: Trained


def judge_ruling(
    ruling: Ruling, case: Case, lead: Person | None, vendor: str | None, now: datetime
) -> Refused | None:
    """Rule on a ruling by somebody who works for ``vendor``, or for us; None allows it."""
    if lead is None or not lead.active or Role.LEAD not in lead.roles:
        return Refused(Objection.ROLE, "a lead rules on paused rights")
    if over := access_over(lead.id, lead.access_until, lead.ended, now):
        return Refused(Objection.EXPIRED, over)
    if lead.id == case.person:
        return Refused(Objection.OWN, "nobody rules on their own rights")
    if not sees(vendor, case.vendor):
        return Refused(Objection.VENDOR, f"{case.person} works for somebody else than you do")
    if case.status is not MOVES[ruling][0]:
        return Refused(Objection.STATUS, f"it is {case.status}: there is nothing to {ruling}")
    asked, trained = case.training, case.trained
    if ruling is Ruling.RESTORE and asked and not trained.suffices(asked):
        return Refused(
            Objection.TRAINING,
            f"{case.person} has answered {trained.items} training items since, {trained.right} "
            f"rightly; it takes {asked.items}, {asked.right:.0%} of them rightly",
        )
    return None
