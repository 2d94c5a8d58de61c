"""The pull flow on a real server: from a help desk's pages to decided cases."""

import pytest
from prefect import get_client
from sqlalchemy import Engine, select
from sqlmodel import col

from casework.store.engine import reading
from casework.store.tables import Case
from flows.pull import pull
from integrations.zendesk import ZendeskTwin
from tasks import connectors
from tests.factories.zendesk import ticket

pytestmark = pytest.mark.usefixtures("prefect_server")

SECRET = "zwetschgendatschi"


@pytest.mark.slow
async def test_what_a_help_desk_has_is_decided_and_prefect_learns_counts_alone(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [
        ticket(n, generated_timestamp=4_000_000_000, description=f"{SECRET} {n}") for n in range(3)
    ]
    desk = ZendeskTwin([*tickets, ticket(9, generated_timestamp=4_000_000_000, created_at=None)])
    monkeypatch.setattr(connectors, "zendesk_of", lambda *given: desk)
    state = await pull(return_state=True)
    counts = await state.aresult()
    assert (counts["received"], counts["opened"], counts["quarantined"]) == (4, 3, 1)
    assert counts["closed"] + counts["review"] + counts["escalated"] == 3
    with reading(store) as session:
        assert set(session.scalars(select(col(Case.status)))) <= {"closed", "waiting"}
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
        logs = await client.read_logs(limit=200)
    assert run.name.startswith("pull-zendesk-2")
    assert SECRET not in str(run) + "".join(log.message for log in logs)


async def test_where_nothing_is_configured_a_pull_does_nothing(store: Engine) -> None:
    counts = await pull()
    assert set(counts.values()) == {0}
