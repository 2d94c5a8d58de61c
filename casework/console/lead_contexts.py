"""What each page for leads shows, as a type of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from casework.incidents.story import Story as IncidentStory
from casework.policy.difference import Difference
from casework.policy.faults import Fault
from casework.policy.model import Bundle
from casework.qa.plans import Plan
from casework.qa.rights import Trained
from casework.store.tables import PausedRight, QaRound
from casework.trials import Trial


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident: who does what, what is owed, and what happened, as sentences."""

    story: IncidentStory
    told: Sequence[tuple[datetime, str, str, str]]  # when, who, which case, what
    report: str  # Markdown


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """The policy in force: its rules in order, how many cases each decided, and its faults now."""

    bundle: Bundle
    cases: Mapping[str | None, int]  # by the rule that decided; None where none did
    faults: Sequence[Fault]
    candidates: Sequence[str]


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """A bundle that is not in force: its faults, or else what it changes."""

    name: str
    faults: Sequence[Fault]
    bundle: Bundle | None = None
    told: Difference | None = None
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A plan of quality assurance, and what it would draw now."""

    name: str
    plan: Plan
    until: datetime
    preview: Mapping[str, Any]
    may_draw: bool
    drawn: str  # the round that was just drawn; "none" where there was nothing to draw


@dataclass(frozen=True, slots=True)
class HealthPage:
    """How the work goes, part by part; ``made_at`` is None where nothing was looked at yet."""

    made_at: datetime | None
    sections: Sequence[tuple[str, str, Markup]]  # title, chart or empty, text


@dataclass(frozen=True, slots=True)
class Agreed:
    """A round, and how far those who reviewed it agree."""

    round: QaRound
    found: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rights:
    """A right that is in question or paused, and what was shown in training since."""

    right: PausedRight
    trained: Trained
    is_own: bool  # whether it is the viewer's, who may not rule on it
