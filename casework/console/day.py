"""How far somebody's day has come, and how much hard content they should still see."""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from casework.console.ports import Console
from casework.exposure import Budget, Day, Exposure, Level, day_began, day_of, exposure_of
from casework.store.days import acts_of, sights_of


@dataclass(frozen=True, slots=True)
class Seen:
    """How much hard content somebody saw today, and the budget of the policy in force."""

    exposure: Exposure
    budget: Budget

    @property
    def level(self) -> Level:
        """How far the budget is used up."""
        return self.exposure.level(self.budget)

    @property
    def percent(self) -> int:
        """How much of the budget is used up, in whole percent."""
        return round(self.exposure.share(self.budget) * 100)

    @property
    def used(self) -> str:
        """What is used up, in words."""
        said = []
        if self.budget.items is not None:
            said.append(f"{self.exposure.items} of {self.budget.items} marked cases")
        if self.budget.minutes is not None:
            minutes = self.exposure.time // timedelta(minutes=1)
            said.append(f"{minutes} of {self.budget.minutes} minutes")
        return " and ".join(said)


def seen_today(session: Session, console: Console, person: str) -> Seen:
    """How much hard content somebody saw since their day began."""
    now, budget = console.clock(), console.bundle.exposure
    sights = sights_of(session, person, day_began(budget.zone, now))
    return Seen(exposure_of(sights, now), budget)


def done_today(session: Session, console: Console, person: str) -> Day:
    """What somebody has done since their day began."""
    began = day_began(console.bundle.exposure.zone, console.clock())
    return day_of(acts_of(session, person, began))
