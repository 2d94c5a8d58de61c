"""Nothing that a ticket or a person says reaches Prefect, whichever of its records one reads."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id, waiting_gates
from casework.store.people import add_person
from flows.intake import intake
from tests.factories.gates import BY, NOW
from tests.factories.intake import row, rows_file
from tests.factories.playbooks import follow
from tests.flows.review import finish, reconcile, run_of, state_of

pytestmark = pytest.mark.slow

#: A word that stands in every text of the tickets, and in nothing else.
MARKER = "Zwetschgendatschi"

#: Where Prefect keeps what it was told: the path to ask, page by page.
RECORDS = {
    "flow runs": "/flow_runs/filter",
    "task runs": "/task_runs/filter",
    "logs": "/logs/filter",
    "artifacts": "/artifacts/filter",
}


@pytest.fixture
async def tickets(store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tickets full of the marker, rows that are broken, and services that do not answer."""
    for service in ("MODERATION", "ACCOUNT"):
        monkeypatch.setenv(f"CASEWORK_{service}_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("CASEWORK_PROVIDER_ATTEMPTS", "1")
    monkeypatch.setenv("CASEWORK_PREFECT_UI_DECISIONS", "unverified")
    # A Prefect server may be shared, and an id used twice would find an earlier run.
    unique = f"{time.time_ns()}"
    said = {
        "body": f"{MARKER}: my account was hacked",
        "title": MARKER,
        "attributes": {"note": MARKER},
    }
    return rows_file(
        tmp_path / "tickets.jsonl",
        row(f"T-{unique}", subject_id="u1", **said),
        row(f"T-{unique}b", **said),
        f'{{"{MARKER}": '.encode(),
        {MARKER: MARKER},
        {"external_id": f"T-{unique}c", "received_at": MARKER},
    )


async def everything(client: PrefectClient, path: str) -> AsyncIterator[Any]:
    """Every record of a kind, as the server's API gives it."""
    offset = 0
    while True:
        answer = await client._client.post(path, json={"limit": 200, "offset": offset})
        page = answer.json()
        for each in page:
            yield each
        if len(page) < 200:
            return
        offset += 200


async def events(client: PrefectClient) -> AsyncIterator[Any]:
    """Every event that the server keeps."""
    page = (await client._client.post("/events/filter", json={"limit": 50})).json()
    while True:
        for each in page["events"]:
            yield each
        if not page["next_page"]:
            return
        page = (await client._client.get(page["next_page"])).json()


async def records() -> dict[str, str]:
    """All that the server tells, by the kind of record."""
    async with get_client() as client:
        found = {
            kind: "\n".join([str(each) async for each in everything(client, path)])
            for kind, path in RECORDS.items()
        }
        found["events"] = "\n".join([str(each) async for each in events(client)])
    return found


async def records_about(*needles: str) -> dict[str, str]:
    """The same, once task runs, logs and events, which arrive later, are there."""
    await APILogHandler.aflush()
    for _ in range(60):
        found = await records()
        if all(needle in "".join(found.values()) for needle in needles):
            break
        await asyncio.sleep(0.5)
    return found


async def test_no_record_of_prefect_holds_what_a_ticket_says(
    store: Engine, deployed: None, tickets: Path
) -> None:
    counts = await intake(str(tickets), source="desk", intake_id=f"i{time.time_ns()}")
    assert (counts["opened"], counts["quarantined"], counts["review"]) == (2, 3, 2)
    with transaction(store) as session:
        add_person(session, "ana", name=MARKER, roles=["analyst"], queues=["*"], by=BY, now=NOW)
        first, second = (gate["id"] for gate in waiting_gates(session))
    for gate in (first, second):
        follow(store, gate, "ana")
    answered(store, first)
    await reconcile()
    await finish(run_of(store, first))
    assert await state_of(run_of(store, first)) == "Completed"
    await filled_in(store, second)
    assert await state_of(run_of(store, second)) == "Completed"

    found = await records_about(run_of(store, first), run_of(store, second))
    assert all(found.values()), "there is something of each kind to look through"
    assert first in found["flow runs"], "what is looked through is what was just done"
    assert first in found["logs"]
    for kind, text in found.items():
        assert MARKER.lower() not in text.lower(), f"{kind} hold it"
    assert MARKER not in stored_results()


def answered(store: Engine, gate: str) -> None:
    """Decide at a gate with a rationale that quotes the ticket."""
    payload = {
        "verdict": "refuse",
        "action": None,
        "rationale": f"it says {MARKER}",
        "evidence_digest": evidence_of(store, gate),
    }
    assert answer_gate(store, gate, "ana", payload, now=datetime.now(UTC)).decided


async def filled_in(store: Engine, gate: str) -> None:
    """Decide through Prefect's form, quoting the ticket too: it is taken out of Prefect."""
    run = run_of(store, gate)
    body = {
        "person": "ana",
        "verdict": "refuse",
        "action": "",
        "escalate_to": "",
        "rationale": f"it says {MARKER}",
        "evidence": evidence_of(store, gate)[:12],
    }
    async with get_client() as client:
        path = f"/flow_runs/{run}/resume"
        assert (await client._client.post(path, json={"run_input": body})).status_code == 201
        assert MARKER in await inputs(client, run), "it is there until the run takes it"
        await finish(run)
        assert MARKER not in await inputs(client, run)


async def inputs(client: PrefectClient, run: str) -> str:
    """What Prefect keeps of a run's input."""
    path, body = f"/flow_runs/{run}/input/filter", {"prefix": "", "limit": 200, "exclude_keys": []}
    return (await client._client.post(path, json=body)).text


def evidence_of(store: Engine, gate: str) -> str:
    with reading(store) as session:
        return gate_by_id(session, gate).evidence_digest


def stored_results() -> str:
    """All that Prefect has put into files as results."""
    folder = PREFECT_LOCAL_STORAGE_PATH.value()
    files = [path for path in Path(str(folder)).rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)
