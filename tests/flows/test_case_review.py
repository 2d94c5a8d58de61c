"""A case at its gates, against a real Prefect server."""

from prefect import get_client
from sqlalchemy import Engine

from casework.gates import gate_id as make_gate_id
from tests.flows.review import (
    case_status,
    decide,
    finish,
    gate_status,
    history,
    read_run,
    reconcile,
    run_of,
    state_of,
    suspended_case,
)


async def test_a_decision_closes_its_case(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    assert await state_of(run) == "Suspended"

    assert decide(store, gate, "ana")
    await reconcile()
    await finish(run)

    ended = await read_run(run)
    assert ended.state is not None
    assert ended.state.name == "Completed"
    # What Prefect's pages show of it: ids and facts.
    assert f"closed; gate {gate} in general: carried_out, decided: approve" in (
        ended.state.message or ""
    )
    assert (case_status(store, gate), gate_status(store, gate)) == ("closed", "carried_out")


async def test_a_refusal_closes_the_case_without_an_action(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana", verdict="refuse", action=None)
    await reconcile()
    await finish(run)
    assert case_status(store, gate) == "closed"


async def test_a_case_handed_over_waits_in_the_same_run_at_the_next_gate(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana", verdict="escalate", action=None, escalate_to="legal")
    await reconcile()
    await finish(run)

    following = make_gate_id("c" + gate[1:].split("-")[0], 1, 2)
    assert await state_of(run) == "Suspended"
    assert run_of(store, following) == run
    assert gate_status(store, following) == "open"

    assert not decide(store, following, "lea", action="ban")
    assert decide(store, following, "leo", action="ban")
    await reconcile()
    await finish(run)
    assert (case_status(store, gate), await state_of(run)) == ("closed", "Completed")


async def test_a_gate_that_needs_two_people_waits_for_the_second(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store, queue="legal")
    assert not decide(store, gate, "lea", action="ban")
    await reconcile()
    assert await state_of(run) == "Suspended"
    assert decide(store, gate, "leo", action="ban")
    await reconcile()
    await finish(run)
    assert case_status(store, gate) == "closed"


async def test_the_run_can_be_found_by_its_case_and_shows_no_content(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    found = await read_run(run)
    case = "c" + gate[1:].split("-")[0]
    assert case in found.name
    assert f"case:{case}" in found.tags
    assert "body of" not in found.model_dump_json()


async def test_the_history_of_a_decided_case_is_complete(store: Engine, deployed: None) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana")
    await reconcile()
    await finish(run)
    assert history(store, gate) == [
        "gate.opened",
        "run.assigned",
        "gate.answered",
        "gate.decided",
        "gate.carried_out",
        "case.closed",
    ]


async def test_waiting_cases_hold_no_process_and_no_slot(store: Engine, deployed: None) -> None:
    _, run = await suspended_case(store)
    found = await read_run(run)
    assert found.run_count == 0
    assert found.start_time is None
    async with get_client() as client:
        assert (await client.api_healthcheck()) is None
