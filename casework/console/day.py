"""How far somebody's day has come, and how much hard content they should still see."""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from casework.console.ports import Console
from casework.exposure import Budget, Day, Level, day_began, day_of
from casework.store.days import acts_of


@dataclass(frozen=True, slots=True)
class Today:
    """A person's day and the budget of the policy in force."""

    day: Day
    budget: Budget

    @property
    def level(self) -> Level:
        """How far the budget is used up."""
        return self.day.level(self.budget)

    @property
    def minutes(self) -> int:
        """How many whole minutes marked content was shown."""
        return self.day.exposed // timedelta(minutes=1)

    @property
    def used(self) -> str:
        """What is used up, in words."""
        said = []
        if self.budget.items is not None:
            said.append(f"{self.day.items} of {self.budget.items} marked cases")
        if self.budget.minutes is not None:
            said.append(f"{self.minutes} of {self.budget.minutes} minutes")
        return " and ".join(said)


def today(session: Session, console: Console, person: str) -> Today:
    """What somebody has done since their day began."""
    now, budget = console.clock(), console.bundle.exposure
    acts = acts_of(session, person, day_began(budget.zone, now))
    return Today(day_of(acts, now), budget)
