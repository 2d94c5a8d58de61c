"""The escalation sweep as a task: everything that is due, until nothing is left."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.store.assignment import claim
from casework.store.engine import open_engine, transaction
from casework.store.incidents.work import ask_partner
from tasks.case_review import visit_gate
from tasks.escalation import act_at_once, sweep_clocks
from tests.factories.escalation import (
    HOUR,
    LEASE,
    MINUTE,
    actions,
    add_everybody,
    outbox,
    person,
    timed_case,
)
from tests.factories.gates import NOW, answer, waiting_case
from tests.factories.incidents import opened

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A store as the settings name it, with people."""
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path))
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store_url)
    engine = open_engine(store_url)
    add_everybody(engine)
    return engine


async def test_one_sweep_does_all_that_is_due_and_the_next_one_nothing(store: Engine) -> None:
    now = datetime.now(UTC)
    late = timed_case(store, "T-1", opened_at=now - 3 * HOUR)
    idle = timed_case(store, "T-2", severity="P2", opened_at=now - HOUR)
    waiting_case(store, "T-3", opened_at=now)
    with transaction(store) as session:
        claim(session, idle, LEASE, person("ana"), now - 40 * MINUTE)
    assert await sweep_clocks.fn() == {
        "mended": 1,
        "released": 1,
        "gates": 1,
        "breached": 2,
        "page": 1,
        "remind": 2,
        "reassign": 1,
        "lock": 1,
    }
    assert await sweep_clocks.fn() == {}
    assert actions(store, idle)[-1] == "gate.released"
    assert "gate.locked" in actions(store, late)


async def test_what_cannot_wait_does_not_wait_for_the_sweep(store: Engine) -> None:
    urgent = timed_case(store, "T-1", opened_at=datetime.now(UTC))
    timed_case(store, "T-2", severity="P1", opened_at=datetime.now(UTC) - 99 * HOUR)
    assert await act_at_once.fn() == {"gates": 1, "page": 1}
    assert [row.data["gate"] for row in outbox(store)] == [urgent]
    assert await sweep_clocks.fn() == {"gates": 1, "breached": 2}, "the page is not sent again"


async def test_a_gate_that_follows_another_at_p0_is_paged_about_at_once(store: Engine) -> None:
    gate = timed_case(store, queue="legal", opened_at=datetime.now(UTC))
    handing = answer(verdict="escalate", action=None, escalate_to="general")
    answer_gate(store, gate, "lea", handing, now=datetime.now(UTC))
    following = (await visit_gate.fn(gate, "a-run"))["following"]
    assert [(row.kind, row.data["gate"]) for row in outbox(store)] == [("page", following)]


async def test_a_bundle_that_cannot_be_read_keeps_no_ladder_from_climbing(
    store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed_case(store, opened_at=datetime.now(UTC))
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(tmp_path / "nowhere"))
    assert (await sweep_clocks.fn())["page"] == 1


async def test_the_sweep_tells_of_partner_tasks_that_are_overdue(store: Engine) -> None:
    incident = opened(store)
    due = NOW + HOUR
    with transaction(store) as session:
        ask_partner(session, incident, "Legal", "what", due, person("lou"), NOW)
    assert (await sweep_clocks.fn())["overdue_tasks"] == 1
    assert "overdue_tasks" not in await sweep_clocks.fn()
