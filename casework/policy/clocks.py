"""Making promises of the calendars, clocks and ladders that a bundle declares."""

from dataclasses import replace
from datetime import timedelta

from casework.cases import Severity
from casework.clocks.calendars import ALWAYS, Calendar, Span
from casework.clocks.ladders import NO_LADDER, Ladder, Step
from casework.clocks.model import ClockKind
from casework.clocks.promises import DEFAULTS, Promise, Promises
from casework.policy.clock_entries import (
    EVER,
    CalendarEntry,
    ClockEntry,
    LadderEntry,
    StepEntry,
    TargetEntry,
)
from casework.policy.draft import Draft


def promises_of(draft: Draft) -> Promises:
    """Every promise of a draft without faults; the defaults where it makes none."""
    partners = frozenset(name for name, queue in draft.queues.items() if queue.partner)
    if not draft.clocks:
        return replace(DEFAULTS, partners=partners)
    calendars = {EVER: ALWAYS, **{n: calendar_of(entry) for n, entry in draft.calendars.items()}}
    ladders = {name: _ladder(name, entry) for name, entry in draft.ladders.items()}
    made = {name: _of_queue(entry, calendars, ladders) for name, entry in draft.clocks.items()}
    return Promises(made, partners)


def calendar_of(entry: CalendarEntry) -> Calendar:
    """The calendar that an entry describes."""
    week: list[tuple[Span, ...]] = [()] * 7
    for days, spans in entry.hours.items():
        for day in days:
            week[day] = spans
    return Calendar(entry.zone, tuple(week), frozenset(entry.holidays))


def _of_queue(
    entry: ClockEntry, calendars: dict[str, Calendar], ladders: dict[str, Ladder]
) -> dict[Severity, Promise]:
    return {
        level: Promise(
            targets=_targets(target),
            calendar=calendars[target.calendar or entry.calendar or EVER],
            ladder=ladders[target.ladder] if target.ladder else NO_LADDER,
        )
        for level, target in entry.targets().items()
    }


def _targets(entry: TargetEntry) -> dict[ClockKind, timedelta]:
    said = {kind: getattr(entry, kind.value) for kind in ClockKind}
    return {kind: target for kind, target in said.items() if target is not None}


def _ladder(name: str, entry: LadderEntry) -> Ladder:
    return Ladder(name, tuple(map(_step, entry.steps)))


def _step(entry: StepEntry) -> Step:
    return Step(
        id=entry.id,
        kind=entry.do,
        clock=entry.clock,
        percent=100 if entry.at is None else entry.at,
        after=entry.after,
        to=entry.to,
    )
