"""What calendars, clocks and ladders say about each other and about the queues."""

from collections.abc import Collection, Iterator
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from casework.cases import Severity
from casework.clocks.ladders import SENDS, StepKind
from casework.clocks.model import ClockKind
from casework.clocks.promises import EVERY_QUEUE
from casework.gates import Role
from casework.policy.clock_entries import DAYS, EVER, StepEntry, TargetEntry
from casework.policy.document import Path
from casework.policy.draft import Draft
from casework.policy.faults import nearest

#: What the ``to`` of a step names.
_NAMED: Final = {
    StepKind.REMIND: "destination",
    StepKind.PAGE: "destination",
    StepKind.REASSIGN: "queue",
    StepKind.RAISE: "severity",
}


def check_clocks(draft: Draft) -> None:
    """Note every name that is not declared and every promise or step that cannot be kept."""
    _calendars(draft)
    _ladders(draft)
    _queues(draft)


def _calendars(draft: Draft) -> None:
    for name, calendar in draft.calendars.items():
        if calendar.zone and not is_zone(calendar.zone):
            hint = nearest(calendar.zone, available_timezones())
            draft.add("calendars", (name, "zone"), f"unknown time zone `{calendar.zone}`", hint)
        if not isinstance(calendar.hours, dict):
            continue
        days = [day for said in calendar.hours for day in said]
        for day in sorted({day for day in days if days.count(day) > 1}):
            message = f"`{DAYS[day]}` has hours more than once"
            draft.add("calendars", (name, "hours"), message, "say each day's hours once")


def is_zone(name: str) -> bool:
    """Whether there is such a time zone; a look at one file, not at all there are."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _ladders(draft: Draft) -> None:
    for name, ladder in draft.ladders.items():
        seen: set[str] = set()
        for index, step in enumerate(ladder.steps or ()):
            if step.id in seen:
                path: Path = (name, "steps", index, "id")
                draft.add("ladders", path, f"duplicate step `{step.id}`", "steps happen once each")
            seen.add(step.id)
            _step(draft, (name, "steps", index), step)


def _step(draft: Draft, path: Path, step: StepEntry) -> None:
    if (step.at is None) == (step.after is None):
        message = f"step `{step.id}` needs either `at` or `after`"
        draft.add("ladders", (*path, "id"), message, "at: 50% of the target, or after: 30m past it")
    named = _NAMED.get(step.do)
    if named == "destination" and step.to is None:
        message = f"step `{step.id}` goes nowhere"
        draft.add("ladders", (*path, "id"), message, "name its destination with `to`")
    if named is None and step.to is not None:
        draft.add("ladders", (*path, "to"), f"`{step.do}` takes no `to`", "leave it out")
    known: Collection[str] | None = {
        "queue": draft.written["queues"],
        "severity": list(Severity),
        "destination": draft.written["destinations"],
    }.get(named or "")
    if step.to and known is not None and step.to not in known:
        message = f"unknown {named} `{step.to}`"
        draft.add("ladders", (*path, "to"), message, nearest(step.to, known, named or ""))
    kind, destination = SENDS.get(step.do), draft.destinations.get(step.to or "")
    if kind and destination and kind not in (destination.takes or ()):
        message = f"`{step.to}` takes no {kind}"
        draft.add("ladders", (*path, "to"), message, f"let it take {kind}, in destinations.yaml")


def _queues(draft: Draft) -> None:
    known = draft.written["queues"] | {EVERY_QUEUE}
    for name, entry in draft.clocks.items():
        if name not in known:
            hint = nearest(name, known, "queue")
            draft.add("clocks", (name,), f"unknown queue `{name}`", hint, key=True)
        _named(draft, "calendar", (name, "calendar"), entry.calendar)
        if not entry.targets():
            message = f"queue `{name}` promises nothing"
            draft.add("clocks", (name,), message, "give it targets, or leave it out", key=True)
        for level, target in entry.targets().items():
            _target(draft, (name, level.value), target)
    if draft.written["clocks"]:
        _complete(draft)
    for queue, level, target in _in_force(draft):
        _fits(draft, queue, level, target)


def _complete(draft: Draft) -> None:
    said = (draft.documents["clocks.yaml"].data or {}).get(EVERY_QUEUE)
    if missing := [level.value for level in Severity if level.value not in (said or {})]:
        path: Path = (EVERY_QUEUE,) if said else ()
        message = f"`{EVERY_QUEUE}` promises nothing for {', '.join(missing)}"
        draft.add("clocks", path, message, "give it targets for every severity", key=True)


def _target(draft: Draft, path: Path, target: TargetEntry) -> None:
    _named(draft, "calendar", (*path, "calendar"), target.calendar)
    _named(draft, "ladder", (*path, "ladder"), target.ladder)
    if target.first_touch and target.decision and target.first_touch > target.decision:
        message = "the first touch is promised for later than the decision"
        draft.add("clocks", (*path, "first_touch"), message)


def _named(draft: Draft, what: str, path: Path, name: str | None) -> None:
    known = draft.written[f"{what}s"] | ({EVER} if what == "calendar" else set())
    if name is not None and name not in known:
        draft.add("clocks", path, f"unknown {what} `{name}`", nearest(name, known, what))


def _in_force(draft: Draft) -> Iterator[tuple[str, Severity, TargetEntry]]:
    """Every queue and severity with the target that holds there."""
    default = draft.clocks.get(EVERY_QUEUE)
    for queue in draft.queues:
        own = draft.clocks.get(queue)
        said = {**(default.targets() if default else {}), **(own.targets() if own else {})}
        for level, target in said.items():
            yield queue, level, target


def _fits(draft: Draft, queue: str, level: Severity, target: TargetEntry) -> None:
    """Whether a ladder can do in a queue what it says."""
    ladder = draft.ladders.get(target.ladder or "")
    own = draft.clocks.get(queue)
    at = queue if own and level in own.targets() else EVERY_QUEUE
    for step in ladder.steps or () if ladder else ():
        for message, hint in _misfits(draft, queue, target, step):
            draft.add("clocks", (at, level.value, "ladder"), message, hint)


def _misfits(
    draft: Draft, queue: str, target: TargetEntry, step: StepEntry
) -> Iterator[tuple[str, str]]:
    entry = draft.queues[queue]
    if step.do is StepKind.REASSIGN:
        to = step.to or entry.escalation_target
        above = draft.queues.get(to or "")
        if to is None:
            hint = "give the queue an escalation_target, or the step a `to`"
            yield f"step `{step.id}` reassigns, and queue `{queue}` has no escalation target", hint
        elif above and above.approvals < entry.approvals:
            message = f"step `{step.id}` moves from `{queue}` to `{to}`, which needs fewer people"
            yield message, "a ladder must not be a way round two people"
    if step.do is StepKind.LOCK and Role.LEAD not in (entry.roles or ()):
        message = f"step `{step.id}` locks, and nobody who is a lead answers in queue `{queue}`"
        yield message, f"add lead to the roles of `{queue}`"
    if step.clock is ClockKind.PARTNER_ANSWER and target.partner_answer is None:
        message = f"step `{step.id}` watches the partner's answer, for which there is no target"
        yield message, "add partner_answer"
