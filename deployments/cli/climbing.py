"""What the demo shows of escalation: one case climbs its ladder under a clock that is moved on."""

from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Engine

from casework.clocks.model import ClockKind
from casework.escalation import simulate
from casework.ledger.entries import Provenance
from casework.store.clocks import clocks_at
from casework.store.engine import reading, transaction
from casework.store.escalation import take_due_steps
from casework.store.gates import gate_by_id, waiting_gates
from casework.store.ledger import entries_of
from casework.store.policy import stored_bundle
from casework.version import code_version

COLUMNS: Final = ("at", "entry", "clock", "step", "what")

_SECOND: Final = timedelta(seconds=1)

#: What a step or a miss tells beside its clock and its name.
_TOLD: Final = ("destination", "from", "to", "sent", "due")


def climb_a_ladder(engine: Engine, gate: str | None = None) -> list[dict[str, Any]]:
    """Move the clock on for one gate, by default the most urgent, from step to step of its ladder.

    The sweep that runs every minute is run at each of its moments, on this gate alone. What was
    taken is read back from the ledger, whose entries carry the simulated times.

    Returns:
        Rows of COLUMNS; none where no gate waits.
    """
    by = Provenance("casework:demo-clock", "machine", code_version())
    chosen = gate or _most_urgent(engine)
    if chosen is None:
        return []
    for moment in _moments(engine, chosen):
        with transaction(engine) as session:
            take_due_steps(session, by, moment + _SECOND, gates=[chosen])
    return _taken(engine, chosen, by.actor)


def _most_urgent(engine: Engine) -> str | None:
    with reading(engine) as session:
        first = waiting_gates(session, limit=1)
    return first[0]["id"] if first else None


def _moments(engine: Engine, gate_id: str) -> list[datetime]:
    """When the ladder of a gate acts, if nobody touches it from the beginning."""
    with reading(engine) as session:
        gate = gate_by_id(session, gate_id)
        clock = clocks_at(session, gate_id)[ClockKind.DECISION]
        bundle = stored_bundle(session, gate.policy_digest)
    told = simulate(bundle, clock.queue, clock.severity, clock.started_at)
    return sorted({rung.moment for rung in told})


def _taken(engine: Engine, gate_id: str, actor: str) -> list[dict[str, Any]]:
    with reading(engine) as session:
        entries = entries_of(session, gate_by_id(session, gate_id).case_id)
    rows = []
    for entry in entries:
        data = orjson.loads(entry.body)["data"]
        if entry.actor == actor and data.get("gate") == gate_id:
            what = {name: data[name] for name in _TOLD if name in data}
            common = {"clock": data.get("clock"), "step": data.get("step"), "what": what}
            rows.append({"at": entry.at, "entry": entry.action, **common})
    return rows
