"""What queues are asked for and how fast people work: for staffing, forecasts and proposals."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from casework.cases import Severity
from casework.clocks.calendars import Calendar, business_time
from casework.clocks.model import ClockKind, ClockState
from casework.errors import InputError
from casework.gates import GateStatus
from casework.health.forecast import Waiting
from casework.health.proposals import SHIFT_HOURS, Load
from casework.health.staffing import Arrival, Demand
from casework.policy.faults import nearest
from casework.policy.model import Bundle
from casework.store.health.machine import first_moment
from casework.store.tables import Assignment, Clock, Decision, Gate

#: What took longer than a shift, from claim to decision, was waited for and not worked on.
_LONGEST_HANDLING: Final = SHIFT_HOURS * 3600

#: The time in which work is counted that a forecast goes on with.
TODAY: Final = timedelta(hours=24)

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_DECISION: Final = ClockKind.DECISION.value
_ENDED: Final = (ClockState.MET.value, ClockState.BREACHED.value)


def demand_of(
    session: Session,
    bundle: Bundle,
    queue: str,
    start: datetime,
    end: datetime,
    kind: ClockKind,
    *,
    within: timedelta | None = None,
    handling: timedelta | None = None,
) -> Demand:
    """What came to a queue in a window and how long people took, in business time of its calendar.

    What is promised is what the bundle promises now, unless ``within`` says otherwise; handling
    times are those from the last claim to the decision, unless ``handling`` gives one for all.

    Raises:
        InputError: there is no such queue.
    """
    if queue not in bundle.queues:
        raise InputError(f"there is no queue {queue}", hint=nearest(queue, bundle.queues))
    came = _came(session, queue, start, end)
    calendar = _calendar(bundle, queue, (severity for _, severity in came))
    arrivals = [
        Arrival(
            _seconds(calendar, start, at),
            list(Severity).index(Severity(severity)),
            (within or bundle.promises.of(queue, severity).targets[kind]).total_seconds(),
        )
        for at, severity in came
    ]
    lengths = (
        [handling.total_seconds()] * 10
        if handling
        else _handlings(session, calendar, queue, start, end)
    )
    length = _seconds(calendar, start, end)
    return Demand(arrivals, lengths, length, is_touch=kind is ClockKind.FIRST_TOUCH)


def load_of(
    session: Session, bundle: Bundle, queue: str, start: datetime, end: datetime
) -> Load | None:
    """What a queue was asked for on a day, and by how many; None where the bundle has it no more.

    Handling times are those of the four weeks before the day's end: one day has few.
    """
    if queue not in bundle.queues:
        return None
    came = _came(session, queue, start, end)
    severities = [severity for _, severity in came]
    calendar = _calendar(bundle, queue, severities)
    lengths = _handlings(session, calendar, queue, end - 28 * _DAY, end)
    severity = _commonest(severities)
    promised = bundle.promises.of(queue, severity).targets[ClockKind.FIRST_TOUCH]
    hours = _seconds(calendar, start, end) / 3600
    handling = sum(lengths) / len(lengths) if lengths else 0.0
    people = _people(session, queue, start, end)
    return Load(queue, len(came), handling, promised.total_seconds(), hours or 24.0, people)


def waiting_gates(session: Session) -> list[Waiting]:
    """Every gate that waits for its decision; one on hold is not due."""
    statement = (
        select(
            *map(col, (Gate.id, Gate.case_id, Gate.queue, Gate.severity, Gate.opened_at)),
            col(Clock.due_at),
        )
        .join(Clock, (col(Clock.gate_id) == col(Gate.id)) & (col(Clock.kind) == _DECISION))
        .where(col(Gate.status) == GateStatus.OPEN, col(Clock.ended_at).is_(None))
    )
    return [Waiting(*row) for row in session.execute(statement)]


def rates(session: Session, now: datetime) -> dict[str, float]:
    """Decisions an hour in each queue over the last day, or since the history began, if later."""
    since = max(now - TODAY, first_moment(session) or now)
    statement = (
        select(col(Gate.queue), func.count())
        .join(Clock, col(Clock.gate_id) == col(Gate.id))
        .where(
            col(Clock.kind) == _DECISION,
            col(Clock.ended_at) >= now - TODAY,
            col(Clock.ended_at) < now,
            col(Clock.state).in_(_ENDED),
        )
        .group_by(col(Gate.queue))
    )
    hours = max(_HOUR, now - since) / _HOUR
    return {queue: number / hours for queue, number in session.execute(statement)}


def _came(
    session: Session, queue: str, start: datetime, end: datetime
) -> list[tuple[datetime, str]]:
    statement = (
        select(col(Gate.opened_at), col(Gate.severity))
        .where(col(Gate.queue) == queue, col(Gate.opened_at) >= start, col(Gate.opened_at) < end)
        .order_by(col(Gate.opened_at))
    )
    return [(at, severity) for at, severity in session.execute(statement)]


def _handlings(
    session: Session, calendar: Calendar, queue: str, start: datetime, end: datetime
) -> list[float]:
    """Seconds from the last claim to the decision, of gates decided in a window."""
    columns: tuple[Any, ...] = (col(Assignment.last_claimed_at), col(Clock.ended_at))
    statement = (
        select(*columns)
        .join(Gate, col(Gate.id) == col(Clock.gate_id))
        .join(Assignment, col(Assignment.gate_id) == col(Clock.gate_id))
        .where(
            col(Clock.kind) == _DECISION,
            col(Clock.state).in_(_ENDED),
            col(Clock.ended_at) >= start,
            col(Clock.ended_at) < end,
            col(Gate.queue) == queue,
            col(Assignment.last_claimed_at) < col(Clock.ended_at),
        )
        .order_by(col(Clock.ended_at), col(Clock.gate_id))
    )
    lengths = [_seconds(calendar, claimed, ended) for claimed, ended in session.execute(statement)]
    return [length for length in lengths if 0 < length <= _LONGEST_HANDLING]


def _people(session: Session, queue: str, start: datetime, end: datetime) -> int:
    statement = (
        select(func.count(col(Decision.actor).distinct()))
        .join(Gate, col(Gate.id) == col(Decision.gate_id))
        .where(
            col(Decision.decided_at) >= start,
            col(Decision.decided_at) < end,
            col(Gate.queue) == queue,
        )
    )
    return session.scalar(statement) or 0


def _calendar(bundle: Bundle, queue: str, severities: Iterable[str]) -> Calendar:
    """The calendar by which most of a queue's gates are promised."""
    return bundle.promises.of(queue, _commonest(severities)).calendar


def _commonest(severities: Iterable[str]) -> str:
    common = Counter(severities).most_common(1)
    return common[0][0] if common else Severity.P2.value


def _seconds(calendar: Calendar, start: datetime, end: datetime) -> float:
    return business_time(calendar, start, end).total_seconds()
