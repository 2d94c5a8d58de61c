"""Ladders: what is done, step by step, while a clock runs out. ``casework.escalation`` acts."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from casework.clocks.model import ClockKind
from casework.effects import EffectKind


class StepKind(StrEnum):
    """What a step does. Nothing here answers at a gate: a ladder moves, shouts and locks."""

    REMIND = "remind"  # tell the holder, or the team where nobody holds it
    PAGE = "page"  # wake whoever is on call
    REASSIGN = "reassign"  # move the gate to another queue, under that queue's guard
    RAISE = "raise"  # make the case more severe
    LOCK = "lock"  # nobody below lead may answer


#: What each kind of step sends, where it sends anything.
SENDS: Final = {StepKind.REMIND: EffectKind.NOTIFY, StepKind.PAGE: EffectKind.PAGE}


@dataclass(frozen=True, slots=True)
class Step:
    """One step. It acts when the clock has run for a share of its target, or for more than it.

    ``to`` is a destination for ``remind`` and ``page``, a queue for ``reassign`` (None: the queue's
    own escalation target) and a severity for ``raise`` (None: the next one up).
    """

    id: str
    kind: StepKind
    clock: ClockKind = ClockKind.DECISION
    percent: int = 100
    after: timedelta | None = None  # business time past the target; takes the place of percent
    to: str | None = None

    def amount(self, target: timedelta) -> timedelta:
        """For how long a clock with this target has run when the step acts."""
        if self.after is not None:
            return target + self.after
        return target * self.percent / 100


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps in the order of the bundle."""

    id: str
    steps: tuple[Step, ...] = ()

    def of(self, kind: ClockKind) -> tuple[Step, ...]:
        """The steps that act on one kind of clock."""
        return tuple(step for step in self.steps if step.clock is kind)


NO_LADDER: Final = Ladder("none")
