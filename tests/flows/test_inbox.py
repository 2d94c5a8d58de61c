"""The inbox flow, on a real Prefect server: from a post to a case, from a button to its run."""

from pathlib import Path
from uuid import uuid4

import pytest
from prefect import get_client
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.gates import gate_id
from casework.inbox.posts import Vendor
from casework.store.engine import reading, transaction
from casework.store.gates import gate_by_id
from casework.store.identities import link
from casework.store.tables import Case
from flows.inbox import inbox
from tests.factories.gates import BY, NOW
from tests.factories.inbox import arrive, click
from tests.factories.posts import inbox_file, source
from tests.flows.review import case_status, finish, state_of, suspended_case

SECRET = "words that stay in the store"


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that declare Slack and a generic source."""
    entries = {each.value: source(each, tmp_path) for each in (Vendor.SLACK, Vendor.STANDARD)}
    monkeypatch.setenv("CASEWORK_INBOX_FILE", str(inbox_file(tmp_path, **entries)))


@pytest.mark.usefixtures("declared")
async def test_a_button_pressed_in_slack_closes_its_case(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    with transaction(store) as session:
        link(session, "ana", "slack", "U1", BY, NOW)
    with reading(store) as session:
        evidence = gate_by_id(session, gate).evidence_digest
    arrive(store, Vendor.SLACK, click(gate, "U1", evidence=evidence))

    assert await inbox() == {"answered": 1}

    assert await state_of(run) == "Resuming"
    await finish(run)
    assert (case_status(store, gate), await state_of(run)) == ("closed", "Completed")


@pytest.mark.usefixtures("declared")
async def test_a_report_is_decided_and_prefect_hears_nothing_of_what_it_says(
    store: Engine, deployed: None
) -> None:
    name = f"T-{uuid4()}"
    arrive(store, Vendor.STANDARD, {"external_id": name, "title": SECRET, "body": SECRET})

    state = await inbox(return_state=True)

    assert await state.result() == {"taken_in": 1}
    with reading(store) as session:
        case = session.scalars(select(Case).where(col(Case.external_id) == name)).one()
    assert case.status in ("closed", "waiting")
    if case.status == "waiting":
        with reading(store) as session:
            assert gate_by_id(session, gate_id(case.id, 1, 1)).flow_run_id is not None
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
    assert SECRET not in run.model_dump_json()
    assert run.parameters == {}
