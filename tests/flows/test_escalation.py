"""The flow escalation, and the beginning of a ladder when a gate opens at P0, on a real server."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from casework.store.engine import reading
from casework.store.tables import Gate
from flows.escalation import escalation
from flows.risk_review import risk_review
from tests.factories.enriched import enriched_case
from tests.factories.escalation import HOUR, actions, add_everybody, outbox, timed_case

pytestmark = pytest.mark.anyio


async def test_the_flow_tells_what_was_done_and_a_missed_hour_is_made_up_for(
    prefect_server: None, store: Engine
) -> None:
    add_everybody(store)
    gate = timed_case(store, opened_at=datetime.now(UTC) - 3 * HOUR)
    done = await escalation()
    assert (done["page"], done["reassign"], done["lock"]) == (1, 1, 1)
    assert await escalation() == {}
    assert actions(store, gate).count("gate.locked") == 1


async def test_a_gate_that_opens_at_p0_is_paged_about_at_once(
    prefect_server: None, store: Engine
) -> None:
    patterns = {"mentions_self_harm": True, "mentions_imminence": True}
    enriched_case(store, "T-1", {"patterns": patterns})
    assert (await risk_review())["review"] == 1
    with reading(store) as session:
        gate = session.scalars(select(Gate)).one()
    assert gate.severity == "P0"
    assert [(row.kind, row.destination, row.data["gate"]) for row in outbox(store)] == [
        ("page", "on_call", gate.id)
    ]
