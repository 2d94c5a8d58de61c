"""What calendars.yaml, clocks.yaml and ladders.yaml may hold, as pydantic models."""

import re
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, Field

from casework.cases import Severity
from casework.clocks.calendars import DAY_MINUTES, Span
from casework.clocks.ladders import StepKind
from casework.clocks.model import ClockKind
from casework.policy.entry import Entry, Id, Prose

#: All hours of all days; also the calendar of this name, which every bundle has.
EVER: Final = "always"

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DURATION: Final = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,5})m)?")
_PERCENT: Final = re.compile(r"(\d{1,4})%")
_SPAN: Final = re.compile(r"(\d{2}):([0-5]\d)-(\d{2}):([0-5]\d)")


def duration(value: Any) -> timedelta:
    """Read ``90m``, ``4h`` or ``1h30m``. Days are not taken: calendars differ in what one holds."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    length = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found else None
    if not length:
        raise ValueError("write hours and minutes, such as 90m, 4h or 1h30m")
    return length


def percent(value: Any) -> int:
    """Read ``50%``."""
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("write a share of the target, such as 50%")
    return int(found[1])


def weekdays(value: Any) -> tuple[int, ...]:
    """Read ``mon`` or ``mon-fri`` as numbers from Monday, 0."""
    first, _, last = value.partition("-") if isinstance(value, str) else ("", "", "")
    if first not in DAYS or (last or first) not in DAYS:
        raise ValueError("write a day or days, such as sat or mon-fri")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    if end < begin:
        raise ValueError("a week begins with mon")
    return tuple(range(begin, end + 1))


def spans(value: Any) -> tuple[Span, ...]:
    """Read ``09:00-17:30``, or a list of such, as minutes of the day, in order and apart."""
    found = tuple(map(_span, value if isinstance(value, list) else [value]))
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise ValueError("hours of a day must be in order and apart")
    return found


def _span(value: Any) -> Span:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    hours = [int(part) for part in match.groups()] if match else [0, 0, 0, 0]
    opens, closes = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if not match or not opens < closes <= DAY_MINUTES:
        raise ValueError("write hours such as 09:00-17:30, 24:00 at the latest")
    return opens, closes


def hours(value: Any) -> Any:
    """Read ``always`` as all hours of all days; anything else is by day."""
    return {"mon-sun": "00:00-24:00"} if value == EVER else value


Duration: TypeAlias = Annotated[timedelta, BeforeValidator(duration)]
Percent: TypeAlias = Annotated[int, BeforeValidator(percent)]
Weekdays: TypeAlias = Annotated[tuple[int, ...], BeforeValidator(weekdays)]
Spans: TypeAlias = Annotated[tuple[Span, ...], BeforeValidator(spans)]


class CalendarEntry(Entry):
    """calendars.yaml, by calendar."""

    zone: str
    hours: Annotated[dict[Weekdays, Spans], BeforeValidator(hours), Field(min_length=1)]
    holidays: dict[date, Prose] = Field(default_factory=dict)


class TargetEntry(Entry):
    """What clocks.yaml promises for one queue and severity."""

    first_touch: Duration
    decision: Duration
    partner_answer: Duration | None = None
    calendar: str | None = None
    ladder: str | None = None


class ClockEntry(Entry):
    """clocks.yaml, by queue."""

    calendar: str | None = None
    P0: TargetEntry | None = None
    P1: TargetEntry | None = None
    P2: TargetEntry | None = None
    P3: TargetEntry | None = None
    P4: TargetEntry | None = None

    def targets(self) -> dict[Severity, TargetEntry]:
        """What is promised for each severity that the queue speaks of."""
        said = {level: getattr(self, level.value) for level in Severity}
        return {level: target for level, target in said.items() if target is not None}


class StepEntry(Entry):
    """One step of a ladder."""

    id: Id
    do: StepKind
    clock: ClockKind = ClockKind.DECISION
    at: Percent | None = None
    after: Duration | None = None
    to: str | None = None


class LadderEntry(Entry):
    """ladders.yaml, by ladder."""

    steps: tuple[StepEntry, ...] = Field(min_length=1)
