"""Cases that wait under clocks, the people who take them up, and how they stand."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Engine
from sqlmodel import col, select

from casework.ledger.entries import Provenance
from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle
from casework.store.clocks import Opened, open_clocks
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.ledger import entries_of
from casework.store.people import add_person
from casework.store.tables import Assignment, Clock, Gate, QueuedEffect
from tests.factories.gates import BY, NOW, add_people, waiting_case
from tests.factories.policy import CLOCKS, FILES

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEASE = 30 * MINUTE


@lru_cache(maxsize=1)
def timed_bundle() -> Bundle:
    """The small bundle, with clocks and a ladder."""
    return bundle_from_files({**FILES, **CLOCKS})


def add_everybody(engine: Engine) -> None:
    """Everybody of ``tests.factories.gates``, and the lead Lou."""
    add_people(engine)
    with transaction(engine) as session:
        add_person(session, "lou", name="lou", roles=["lead"], queues=["*"], by=BY, now=NOW)


def timed_case(
    engine: Engine,
    external_id: str = "T-1",
    *,
    queue: str = "general",
    severity: str = "P0",
    opened_at: datetime = NOW,
) -> str:
    """A case that waits at a gate whose clocks run; returns the gate's id."""
    bundle = timed_bundle()
    gate = waiting_case(
        engine, external_id, queue=queue, severity=severity, opened_at=opened_at, bundle=bundle
    )
    with transaction(engine) as session:
        case = gate_by_id(session, gate).case_id
        open_clocks(session, bundle, [Opened(gate, case, queue, severity)], opened_at)
    return gate


def person(name: str) -> Provenance:
    """Somebody who acts."""
    return Provenance(actor=name, actor_kind="person", code_version="test")


def clocks_of(engine: Engine, gate: str) -> dict[str, Clock]:
    """The clocks of a gate by kind."""
    with reading(engine) as session:
        rows = session.exec(select(Clock).where(col(Clock.gate_id) == gate)).all()
    return {row.kind: row for row in rows}


def gate_of(engine: Engine, gate: str) -> Gate:
    """The gate as it stands."""
    with reading(engine) as session:
        return gate_by_id(session, gate)


def assignment_at(engine: Engine, gate: str) -> Assignment:
    """Who has the gate."""
    with reading(engine) as session:
        return session.get_one(Assignment, gate)


def told(engine: Engine, gate: str) -> list[tuple[str, dict[str, Any]]]:
    """What the ledger tells of the gate's case: actions with their data."""
    with reading(engine) as session:
        entries = entries_of(session, gate_by_id(session, gate).case_id)
    return [(entry.action, orjson.loads(entry.body)["data"]) for entry in entries]


def actions(engine: Engine, gate: str) -> list[str]:
    """The actions of the gate's case, after its opening."""
    return [action for action, _ in told(engine, gate)][1:]


def outbox(engine: Engine) -> list[QueuedEffect]:
    """All that is to be sent, by key."""
    with reading(engine) as session:
        return list(session.exec(select(QueuedEffect).order_by(col(QueuedEffect.key))))
