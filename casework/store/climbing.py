"""Gates on their ladders: what is due on them is read under lock, and what became of it written.

Many gates may fall due in the same minute, so rows are read and written in batches, and no more of
them than is needed.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, bindparam, case, select, update
from sqlmodel import Session, col

from casework.clocks.model import ClockKind, ClockState
from casework.effects import Effect
from casework.escalation import Due, Rungs, steps_ahead, too_late_at
from casework.ledger.entries import Draft
from casework.policy.model import Bundle
from casework.store.clocks import clock_of
from casework.store.lookup import among
from casework.store.policy import stored_bundle
from casework.store.tables import Assignment, Case, Clock, Gate

#: What is read of a gate; few of its columns, for there may be many gates.
_GATE: Final = (
    "id",
    "case_id",
    "revision",
    "status",
    "queue",
    "severity",
    "proposed_action",
    "evidence_digest",
    "policy_digest",
)


@dataclass(slots=True)
class Timed:
    """A clock that must be looked at, and what is found out about it."""

    row: Any
    started_at: datetime
    due: list[Due]
    ahead: list[datetime]  # moments of the steps that are yet to come
    breached: bool
    taken: list[str] = field(default_factory=list)
    over: bool = False  # nobody waits for it any more

    @property
    def next_at(self) -> datetime | None:
        """When it must be looked at again."""
        if self.over:
            return None
        miss = None if self.breached else too_late_at(self.row.due_at)
        return min(self.ahead if miss is None else [*self.ahead, miss], default=None)


@dataclass(slots=True)
class Climbing:
    """One gate on its ladder, and all that its steps will write."""

    gate: Any
    rungs: Rungs
    bundle: Bundle
    assignment: Assignment | None
    clocks: list[Timed]
    moved: bool = False
    drafts: list[Draft] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def climbing_of(session: Session, gate_ids: Sequence[str], now: datetime) -> list[Climbing]:
    """Hold the cases, then the gates, and read what is still due on them."""
    if not gate_ids:
        return []
    of_gates = select(col(Gate.case_id)).where(among(session, col(Gate.id), gate_ids))
    case_ids = session.scalars(of_gates).all()
    session.execute(_locked(session, [col(Case.id)], col(Case.id), case_ids))
    columns = [getattr(Gate, name) for name in _GATE]
    gates = session.execute(_locked(session, columns, col(Gate.id), gate_ids)).all()
    held = _locked(session, [Assignment], col(Assignment.gate_id), gate_ids)
    assignments = {each.gate_id: each for each in session.scalars(held)}
    bundles = {
        digest: stored_bundle(session, digest) for digest in {gate.policy_digest for gate in gates}
    }
    clocks = _timed(session, gate_ids, bundles, now)
    made = []
    for gate in gates:
        if gate.id in clocks:
            kept = assignments.get(gate.id)
            locked = kept is not None and kept.locked_at is not None
            rungs = Rungs(gate.queue, gate.severity, locked)
            bundle = bundles[gate.policy_digest]
            made.append(Climbing(gate, rungs, bundle, kept, clocks[gate.id]))
    return made


def _timed(
    session: Session, gate_ids: Sequence[str], bundles: Mapping[str, Bundle], now: datetime
) -> dict[str, list[Timed]]:
    """The clocks of gates that must be looked at, with the steps that are due on each."""
    table = Clock.__table__  # type: ignore[attr-defined]
    statement = _locked(session, [table], col(Clock.gate_id), gate_ids)
    found: defaultdict[str, list[Timed]] = defaultdict(list)
    rows: Any = session.execute(statement.where(col(Clock.next_at) <= now))
    for row in rows:
        promise = bundles[row.policy_digest].promises.of(row.queue, row.severity)
        steps = steps_ahead(promise, ClockKind(row.kind), clock_of(row, promise), row.taken)
        due = [each for each in steps if each.moment <= now]
        ahead = [each.moment for each in steps if each.moment > now]
        breached = row.state == ClockState.BREACHED
        found[row.gate_id].append(Timed(row, row.started_at, due, ahead, breached))
    return found


def _locked(session: Session, what: Sequence[Any], column: Any, names: Collection[str]) -> Any:
    """Rows by name in a fixed order, as they are now and held until the transaction ends."""
    statement = select(*what).where(among(session, column, names)).order_by(column)
    return statement.with_for_update().execution_options(populate_existing=True)


def write_climbed(session: Session, made: Sequence[Climbing], now: datetime) -> None:
    """Keep what became of gates and clocks; entries and effects are for the caller to write."""
    session.flush()
    _write_gates(session, [each for each in made if each.moved], now)
    _write_clocks(session, [timed for each in made for timed in each.clocks])


def _write_gates(session: Session, moved: Sequence[Climbing], now: datetime) -> None:
    """Put gates and their cases into the queue and at the severity that they have come to."""
    if not moved:
        return
    rungs = [{"at_queue": m.rungs.queue, "at_severity": m.rungs.severity} for m in moved]
    columns: dict[str, Any] = {"queue": bindparam("at_queue"), "severity": bindparam("at_severity")}
    places: tuple[tuple[Any, str, dict[str, Any]], ...] = (
        (Gate, "id", columns),
        (Case, "case_id", {**columns, "updated_at": now}),
    )
    for table, name, values in places:
        rows = table.__table__
        statement = update(rows).where(rows.c.id == bindparam("named")).values(**values)
        named = [
            {**each, "named": getattr(m.gate, name)} for each, m in zip(rungs, moved, strict=True)
        ]
        session.connection().execute(statement, named)


def _write_clocks(session: Session, clocks: Sequence[Timed]) -> None:
    """Keep what was taken on each clock, whether it was missed, and when to look again."""
    table = Clock.__table__  # type: ignore[attr-defined]
    statement = update(table).where(
        table.c.gate_id == bindparam("of_gate"), table.c.kind == bindparam("of_kind")
    )
    rows = [
        {
            "of_gate": timed.row.gate_id,
            "of_kind": timed.row.kind,
            "taken": [*timed.row.taken, *timed.taken],
            "next_at": timed.next_at,
            "breached": timed.breached,
        }
        for timed in clocks
    ]
    state = case((bindparam("breached", type_=Boolean), "breached"), else_=table.c.state)
    if rows:
        session.connection().execute(
            statement.values(taken=bindparam("taken"), next_at=bindparam("next_at"), state=state),
            rows,
        )
