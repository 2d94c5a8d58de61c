"""Effects leave right after the decision that caused them, and every minute, as flows."""

from pathlib import Path

import pytest
from prefect import get_client
from sqlalchemy import Engine

from casework.effects import EffectStatus
from casework.store.engine import reading
from casework.store.outbox import list_effects
from flows.effects import effects
from tasks.limits import hold_rate, limit_name
from tests.factories.effects import LEAVING, effect, leaving_bundle, queue, written
from tests.flows.review import decide, finish, reconcile, state_of, suspended_case


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = written(tmp_path / "policy", LEAVING)
    monkeypatch.setenv("CASEWORK_POLICY_DIR", str(folder))
    return folder


def statuses(store: Engine) -> dict[str, str]:
    with reading(store) as session:
        return {f"{row.kind} {row.destination}": row.status for row in list_effects(session)}


async def test_what_a_decision_causes_leaves_with_its_review_run(
    store: Engine, deployed: None, policy: Path
) -> None:
    gate, run = await suspended_case(store, bundle=leaving_bundle())
    decide(store, gate, "ana", action="warn")
    await reconcile()
    await finish(run)
    assert await state_of(run) == "Completed"
    assert statuses(store) == {
        "reply desk": EffectStatus.SENT,
        "set_status desk": EffectStatus.SENT,
    }


async def test_a_policy_that_does_not_lint_keeps_effects_and_not_the_case(
    store: Engine, deployed: None, policy: Path
) -> None:
    gate, run = await suspended_case(store, bundle=leaving_bundle())
    decide(store, gate, "ana", action="warn")
    (policy / "destinations.yaml").write_text("desk: {type: nowhere}\n")
    await reconcile()
    await finish(run)
    assert await state_of(run) == "Completed"
    assert set(statuses(store).values()) == {EffectStatus.WAITING}


async def test_the_flow_sends_what_is_due(
    store: Engine, prefect_server: None, policy: Path
) -> None:
    queue(store, effect("a", destination="desk"), effect("b", destination="platform"))
    assert await effects() == {"sent": 1, "failed": 0, "dead": 0, "held": 1}


async def test_a_rate_of_the_bundle_becomes_prefects_limit(prefect_server: None) -> None:
    for per_minute in (600, 30):
        await hold_rate("to-somewhere", per_minute)
    async with get_client() as client:
        held = await client.read_global_concurrency_limit_by_name(limit_name("to-somewhere"))
    assert (held.limit, held.slot_decay_per_second) == (3, 0.5)
