"""Vendors: how far their people see and have come, and when their access ends. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import inf
from typing import Final

#: A person who works in every queue.
EVERY_QUEUE: Final = "*"


class Phase(StrEnum):
    """How far somebody has come in their work; QA looks at them accordingly."""

    ONBOARDING = "onboarding"  # looked at as on their first day
    RAMP = "ramp"  # less from day to day
    STEADY = "steady"  # as little as anybody


@dataclass(frozen=True, slots=True)
class Reach:
    """How far somebody sees: in which queues, and whose people.

    ``bounded_by`` is the vendor they work for, if it has been given queues: they are shown people
    of that vendor alone, and nothing that is of all queues. None: by nobody.
    """

    queues: frozenset[str]
    bounded_by: str | None = None


def bounded(own: Collection[str], vendor: str | None, given: Collection[str] | None) -> Reach:
    """How far somebody of a vendor sees: in those of their own queues that it has been given.

    ``given`` None is a vendor without limits, or none at all.
    """
    if given is None:
        return Reach(frozenset(own))
    within = given if EVERY_QUEUE in own else {*own} & {*given}
    return Reach(frozenset(within), vendor)


def days_worked(
    phase: str | None, phase_since: datetime | None, began: datetime, at: datetime
) -> float:
    """Days that a plan's ramp counts for somebody at a moment.

    None in onboarding, those since the ramp began, endless in the steady phase; for whom no phase
    was said, those since they began.
    """
    if phase == Phase.ONBOARDING:
        return 0.0
    if phase == Phase.STEADY:
        return inf
    since = phase_since if phase == Phase.RAMP and phase_since else began
    return max(0.0, (at - since) / timedelta(days=1))


def access_end(*ends: datetime | None) -> datetime | None:
    """The end of somebody's access: the first of their own and their vendor's; None for none."""
    return min((each for each in ends if each is not None), default=None)


def sees(own: str | None, vendor: str | None) -> bool:
    """Whether somebody who works for ``own``, or for us, may see a vendor's people and figures."""
    return own is None or own == vendor
