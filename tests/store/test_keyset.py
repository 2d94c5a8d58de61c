"""Lists that are gone through page by page, each from behind the last row of the one before."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from casework.cases import Severity
from casework.errors import NotFound
from casework.gates import ActorKind
from casework.store.engine import reading, transaction
from casework.store.incidents.lifecycle import Opening, list_incidents
from casework.store.outbox import list_effects
from casework.store.people import answering
from casework.store.qa.gates import waiting_qa_gates
from casework.store.quarantine import list_rows
from casework.store.running_clocks import running_clocks
from casework.store.tables import Clock
from casework.store.worklist import page_of_queues
from tests.factories.effects import effect, queue
from tests.factories.escalation import timed_case
from tests.factories.gates import NOW, add_people, waiting_case
from tests.factories.incidents import add_team, opened
from tests.factories.intake import rows_file, taken_in
from tests.factories.qa import decided, drawn, staffed

#: Reads a page of one row more than none, from behind a row.
Read = Callable[[Session, int, str], list[Any]]

MINUTE = timedelta(minutes=1)


def gone_through(engine: Engine, read: Read, name: Callable[[Any], str]) -> list[str]:
    """The names of all rows, two at a time."""
    seen = list[str]()
    with reading(engine) as session:
        while page := read(session, 2, seen[-1] if seen else ""):
            seen += map(name, page)
    return seen


def whole(engine: Engine, read: Read, name: Callable[[Any], str]) -> list[str]:
    """The same in one go."""
    with reading(engine) as session:
        return [name(row) for row in read(session, 100, "")]


def effects(engine: Engine, tmp_path: Path) -> tuple[Read, Callable[[Any], str]]:
    for number in (3, 1, 2, 5, 4):
        at = NOW + (number // 2) * MINUTE
        queue(engine, effect(f"act:g{number}:log", case_id=None), now=at)
    return lambda s, n, after: list_effects(s, limit=n, after=after), lambda row: row.key


def quarantined(engine: Engine, tmp_path: Path) -> tuple[Read, Callable[[Any], str]]:
    taken_in(engine, rows_file(tmp_path / "a.jsonl", *[b'{"a": %d \xff' % n for n in range(5)]))
    return lambda s, n, after: list_rows(s, limit=n, after=after), lambda row: row.id


def incidents(engine: Engine, tmp_path: Path) -> tuple[Read, Callable[[Any], str]]:
    add_team(engine)
    for number, severity in enumerate(("P1", "P0", "P1", "P3", "P1")):
        opened(engine, Opening(f"page-{number}", "One", Severity(severity)), NOW + number * MINUTE)
    return lambda s, n, after: list_incidents(s, limit=n, after=after), lambda row: row["id"]


def clocks(engine: Engine, tmp_path: Path) -> tuple[Read, Callable[[Any], str]]:
    add_people(engine)
    gates = [timed_case(engine, f"T-{n}", opened_at=NOW - n * MINUTE) for n in range(3)]
    with transaction(engine) as session:
        still = session.get_one(Clock, (gates[1], "decision"))
        still.due_at = None

    def read(session: Session, limit: int, after: str) -> list[Any]:
        last = tuple(after.split("/")) if after else None
        return running_clocks(session, NOW, limit=limit, after=last)  # type: ignore[arg-type]

    return read, lambda row: f"{row['gate']}/{row['clock']}"


def gates(engine: Engine, tmp_path: Path) -> tuple[Read, Callable[[Any], str]]:
    for number, name in enumerate(("general", "legal", "mixed", "legal", "general")):
        waiting_case(engine, f"T-{number}", queue=name, severity=f"P{number % 2}")
    asked = ["general", "legal"]
    return lambda s, n, after: page_of_queues(s, asked, NOW, n, after), lambda row: row.gate.id


def reviews(engine: Engine, tmp_path: Path) -> tuple[Read, Callable[[Any], str]]:
    staffed(engine)
    decided(engine, people=["ana", "ben", "ana"])
    drawn(engine, "twice")
    with reading(engine) as session:
        mia = answering(session, "mia", ActorKind.PERSON)
    assert mia is not None
    return lambda s, n, after: waiting_qa_gates(s, mia, limit=n, after=after), lambda row: row.id


@pytest.mark.parametrize("made", [effects, quarantined, incidents, clocks, gates, reviews])
def test_a_list_gone_through_in_pages_is_the_list(
    engine: Engine, tmp_path: Path, made: Callable[..., tuple[Read, Callable[[Any], str]]]
) -> None:
    read, name = made(engine, tmp_path)
    seen = gone_through(engine, read, name)
    assert seen == whole(engine, read, name)
    assert len(set(seen)) == len(seen) >= 3
    with reading(engine) as session, pytest.raises(NotFound):
        read(session, 2, "no/such")
