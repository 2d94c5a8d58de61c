"""Cases that wait for people, made through the pipeline itself."""

import json
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlmodel import col

from casework.ledger.entries import Provenance
from casework.store.engine import reading, transaction
from casework.store.gates import waiting_gates
from casework.store.intake_run import run_intake
from casework.store.people import add_person
from casework.store.tables import Person
from tasks.context import surroundings
from tasks.enrichment import enrich
from tasks.risk_review import adopt_policy, decide_batch

BY = Provenance(actor="casework:bench", code_version="bench")
PERSON = "bench"


async def waiting(engine: Engine, folder: Path, count: int, prefix: str) -> list[str]:
    """Open ``count`` cases that no rule decides; return the ids of their gates."""
    tickets = folder / f"{prefix}.jsonl"
    with tickets.open("w") as file:
        for number in range(count):
            ticket = {"external_id": f"{prefix}-{number}", "body": f"A question, number {number}."}
            file.write(json.dumps(ticket) + "\n")
    with reading(engine) as session:
        known = {row["id"] for row in waiting_gates(session, limit=1_000_000)}
    run_intake(engine, tickets, f"i{prefix}", BY, now)
    cursor = None
    while (page := await enrich(surroundings("enrichment"), [], f"i{prefix}", cursor)).read:
        cursor = page.after
    policy, after = await adopt_policy.fn(), None
    while (batch := await decide_batch.fn(policy, f"i{prefix}", after))["after"]:
        after = tuple(batch["after"])
    with reading(engine) as session:
        return [
            row["id"] for row in waiting_gates(session, limit=1_000_000) if row["id"] not in known
        ]


def introduce(engine: Engine) -> None:
    """Add the one person who answers everywhere."""
    with transaction(engine) as session:
        if session.scalars(select(Person).where(col(Person.id) == PERSON)).first() is None:
            add_person(
                session,
                PERSON,
                name="Bench",
                roles=["analyst", "senior", "lead", "partner"],
                queues=["*"],
                by=BY,
                now=now(),
            )


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
