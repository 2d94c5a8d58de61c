"""Clocks in the store: opened with their gates, stopped, started again, and brought to an end.

What a clock promises is not in its row: the policy that the row names says it. None of these
functions writes an entry of its own; each is part of one that tells what happened to the gate.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import func, literal, update
from sqlmodel import Session, col, select

from casework.clocks.calendars import instant_after
from casework.clocks.model import Clock, ClockKind, ClockState, Stop, StopReason, due_at
from casework.clocks.promises import Promise
from casework.escalation import is_breached, next_moment
from casework.ledger.entries import timestamp
from casework.policy.model import Bundle
from casework.store.bulk import insert_rows, stored_times
from casework.store.lookup import among
from casework.store.policy import stored_bundle
from casework.store.tables import Assignment, Gate
from casework.store.tables import Clock as Row
from casework.store.types import NEVER, UtcDateTime

CLOCK: Final = (
    "gate_id",
    "kind",
    "case_id",
    "policy_digest",
    "queue",
    "severity",
    "state",
    "started_at",
    "due_at",
    "next_at",
    "stops",
    "taken",
)


class Opened(NamedTuple):
    """A gate that has just opened, as far as its clocks care."""

    gate_id: str
    case_id: str
    queue: str
    severity: str


def open_clocks(
    session: Session,
    bundle: Bundle,
    gates: Iterable[Opened],
    now: datetime,
    kinds: Collection[ClockKind] | None = None,
) -> None:
    """Start the clocks of gates that opened at ``now``, or some of them.

    What gates of one queue and severity have in common is worked out once.
    """
    stored = stored_times(session)

    @cache
    def alike(queue: str, severity: str) -> list[tuple[str, tuple[Any, ...]]]:
        wanted = bundle.promises.kinds(queue, severity)
        promise = bundle.promises.of(queue, severity)
        made = []
        for kind in wanted if kinds is None else (k for k in wanted if k in kinds):
            clock = Clock(promise.calendar, promise.targets[kind], now)
            due = instant_after(clock.calendar, now, clock.target)
            look = next_moment(promise, kind, clock, (), breached=False)
            times = (stored(now), stored(due), None if look is None else stored(look))
            state = ClockState.RUNNING.value
            made.append((kind.value, (bundle.digest, queue, severity, state, *times, "[]", "[]")))
        return made

    rows = [
        (gate, kind, case, *rest)
        for gate, case, queue, severity in gates
        for kind, rest in alike(queue, severity)
    ]
    insert_rows(session, "clocks", CLOCK, rows, keep_existing=True)
    if kinds is None or ClockKind.DECISION in kinds:
        rank_gates(session, list(dict.fromkeys(row[0] for row in rows)))


def rank_gates(session: Session, gates: Sequence[str]) -> None:
    """Put gates where their queue's order has them: by when the clock of their decision is due."""
    table, clocks = Gate.__table__, Row.__table__  # type: ignore[attr-defined]
    due = select(clocks.c.due_at).where(
        clocks.c.gate_id == table.c.id, clocks.c.kind == ClockKind.DECISION.value
    )
    ranked = func.coalesce(due.scalar_subquery(), literal(NEVER, UtcDateTime()))
    session.flush()
    session.connection().execute(
        update(table).where(among(session, table.c.id, gates)).values(ranks_at=ranked)
    )


def clocks_at(session: Session, gate: str) -> dict[ClockKind, Row]:
    """The clocks of a gate, those that have ended too."""
    rows = session.scalars(select(Row).where(col(Row.gate_id) == gate))
    return {ClockKind(row.kind): row for row in rows}


def touch(session: Session, gate: str, now: datetime) -> list[str]:
    """End the clock of the first touch: somebody has taken the gate up. Tell what came too late."""
    return _end(session, gate, (ClockKind.FIRST_TOUCH,), now)


def end_clocks(session: Session, gate: str, now: datetime) -> list[str]:
    """End every clock of a gate: it has been decided. Tell which of them that was too late for."""
    return _end(session, gate, tuple(ClockKind), now)


def stop_clocks(session: Session, gate: str, reason: StopReason, now: datetime) -> None:
    """Let the clocks of a gate stand still; what is overdue already stays so."""
    for row in _going(session, gate):
        row.stops = [*row.stops, [timestamp(now), None, reason.value]]
        settle_clock(session, row, now)


def restart_clocks(session: Session, gate: str, now: datetime) -> None:
    """Let the clocks of a gate run again, with the time that they had left."""
    for row in _going(session, gate):
        row.stops = [
            [since, timestamp(now) if until is None else until, reason]
            for since, until, reason in row.stops
        ]
        settle_clock(session, row, now)


def start_partner_clock(session: Session, gate: Gate, now: datetime) -> None:
    """Start the clock of a partner's answer where a gate has come to a partner that owes one."""
    bundle = stored_bundle(session, gate.policy_digest)
    row = session.get(Row, (gate.id, ClockKind.PARTNER_ANSWER.value))
    if row is not None:
        # It has been there before: the earlier time there is in the history.
        session.delete(row)
        session.flush()
    opened = Opened(gate.id, gate.case_id, gate.queue, gate.severity)
    open_clocks(session, bundle, [opened], now, {ClockKind.PARTNER_ANSWER})


def end_partner_clock(session: Session, gate: str, now: datetime) -> list[str]:
    """End the clock of a partner's answer: the gate has left the partner. Tell if too late."""
    return _end(session, gate, (ClockKind.PARTNER_ANSWER,), now)


def cancel_clocks(session: Session, gates: Sequence[str], now: datetime) -> None:
    """End the clocks of gates that nobody need decide any more."""
    if gates:
        session.execute(
            update(Row)
            .where(among(session, col(Row.gate_id), gates), col(Row.ended_at).is_(None))
            .values(state=ClockState.CANCELLED, ended_at=now, next_at=None)
        )
        session.execute(
            update(Assignment)
            .where(among(session, col(Assignment.gate_id), gates))
            .values(next_at=None)
        )


def promise_of(session: Session, row: Row) -> Promise:
    """What a clock promises, by the policy it was started under."""
    return stored_bundle(session, row.policy_digest).promises.of(row.queue, row.severity)


def clock_of(row: Row, promise: Promise) -> Clock:
    """A row as the functions of time know it."""
    return Clock(
        calendar=promise.calendar,
        target=promise.targets[ClockKind(row.kind)],
        started_at=row.started_at,
        stops=tuple(_stop(*stop) for stop in row.stops),
        ended_at=row.ended_at,
    )


def settle_clock(session: Session, row: Row, now: datetime, promise: Promise | None = None) -> None:
    """Work out anew when a clock that goes on is due, how it stands, and when to look at it."""
    promise = promise or promise_of(session, row)
    clock = clock_of(row, promise)
    row.due_at = due_at(clock)
    if row.state != ClockState.BREACHED:
        still = any(until is None for _, until, _ in row.stops)
        row.state = (ClockState.STOPPED if still else ClockState.RUNNING).value
    breached = row.state == ClockState.BREACHED
    row.next_at = next_moment(promise, ClockKind(row.kind), clock, row.taken, breached=breached)
    session.add(row)
    if row.kind == ClockKind.DECISION:
        rank_gates(session, [row.gate_id])


def _going(session: Session, gate: str) -> list[Row]:
    return [row for row in clocks_at(session, gate).values() if row.ended_at is None]


def _end(session: Session, gate: str, kinds: tuple[ClockKind, ...], now: datetime) -> list[str]:
    missed = []
    for row in _going(session, gate):
        if ClockKind(row.kind) not in kinds:
            continue
        late = row.state == ClockState.BREACHED or is_breached(row.due_at, now)
        row.state = (ClockState.BREACHED if late else ClockState.MET).value
        row.ended_at, row.next_at = now, None
        session.add(row)
        missed += [row.kind] if late else []
    return missed


def _stop(since: str, until: str | None, reason: str) -> Stop:
    end = None if until is None else datetime.fromisoformat(until)
    return Stop(datetime.fromisoformat(since), end, StopReason(reason))
