"""Prefect's own Resume form, where the setting lets it answer, against a real Prefect server."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from prefect import get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.input.run_input import keyset_from_paused_state
from prefect.states import Suspended
from sqlalchemy import Engine, select

from casework.gates import gate_id as make_gate_id
from casework.ports import RunRequest
from casework.review_runs import pause_key
from casework.store.engine import reading
from casework.store.gates import gate_by_id
from casework.store.tables import Decision, Gate, LedgerEntry
from integrations.prefect_runs import PrefectReviewRuns
from tests.flows.review import (
    case_status,
    decide,
    finish,
    gate_status,
    history,
    read_run,
    reconcile,
    resume,
    run_of,
    state_of,
    suspended_case,
)

FIELDS = {"person", "verdict", "action", "escalate_to", "rationale", "evidence"}


@pytest.fixture
def allowed(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting that lets the form answer."""
    monkeypatch.setenv("CASEWORK_PREFECT_UI_DECISIONS", "unverified")


@pytest.fixture
async def form(allowed: None, deployed: None) -> None:
    """The setting, and the deployments."""


def filled_in(store: Engine, gate: str, **fields: Any) -> dict[str, Any]:
    """A form that fits the gate, but for the fields given."""
    with reading(store) as session:
        evidence = gate_by_id(session, gate).evidence_digest
    return {
        "person": "ana",
        "verdict": "approve",
        "action": "no_action",
        "escalate_to": "",
        "rationale": "because of the test",
        "evidence": evidence[:12],
        **fields,
    }


async def kept(run: str, gate: str, attempt: int, part: str) -> str | None:
    """What Prefect keeps of a form: its ``schema``, or the ``response`` that was typed in."""
    async with get_client() as client:
        key = key_of(gate, attempt, part)
        found = await client.filter_flow_run_input(UUID(run), key, limit=1, exclude_keys=set())
    return found[0].value if found else None


def key_of(gate: str, attempt: int, part: str) -> str:
    keyset: Any = keyset_from_paused_state(Suspended(pause_key=pause_key(gate, attempt)))
    return str(keyset[part])


async def offers_form(run: str, gate: str, attempt: int) -> bool:
    """Whether the run waits for the form, and its schema asks for every field."""
    state = (await read_run(run)).state
    assert state is not None
    assert state.name == "Suspended"
    schema = await kept(run, gate, attempt, "schema")
    if schema is None or not state.state_details.run_input_keyset:
        return False
    assert state.state_details.run_input_keyset["schema"] == key_of(gate, attempt, "schema")
    assert set(orjson.loads(schema)["required"]) == FIELDS
    return True


def denials(store: Engine, gate: str) -> list[str]:
    """Why answers were refused at a gate, oldest first, as the ledger says."""
    with reading(store) as session:
        case = gate_by_id(session, gate).case_id
        bodies = session.scalars(select(LedgerEntry.body).where(LedgerEntry.chain == case))
        entries = sorted(map(orjson.loads, bodies), key=lambda entry: entry["position"])
    return [entry["data"]["reason"] for entry in entries if entry["action"] == "gate.denied"]


async def test_a_one_person_gate_offers_the_form(store: Engine, form: None) -> None:
    gate, run = await suspended_case(store)
    assert await offers_form(run, gate, 1)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"verdict": "approve"},
        {"person": "ana", "verdict": "approve", "action": "no_action", "escalate_to": ""},
    ],
    ids=str,
)
async def test_a_form_that_is_not_filled_in_is_rejected_and_the_run_stays(
    store: Engine, form: None, body: dict[str, Any] | None
) -> None:
    gate, run = await suspended_case(store)
    assert (await resume(run, body)).status == SetStateStatus.REJECT
    assert await state_of(run) == "Suspended"
    assert (gate_status(store, gate), case_status(store, gate)) == ("open", "waiting")


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "approved"}, {"person": ""}, {"evidence": "123"}, {"more": 1}, {"action": None}],
    ids=str,
)
async def test_a_form_filled_in_wrongly_is_rejected_and_the_run_stays(
    store: Engine, form: None, wrong: dict[str, Any]
) -> None:
    gate, run = await suspended_case(store)
    assert (await resume(run, filled_in(store, gate, **wrong))).status == SetStateStatus.REJECT
    assert await state_of(run) == "Suspended"
    assert (gate_status(store, gate), case_status(store, gate)) == ("open", "waiting")


async def test_a_full_answer_decides_as_unverified_and_is_deleted_from_prefect(
    store: Engine, form: None
) -> None:
    gate, run = await suspended_case(store)
    assert (await resume(run, filled_in(store, gate))).status == SetStateStatus.ACCEPT
    assert await kept(run, gate, 1, "response")
    await finish(run)
    assert (await state_of(run), case_status(store, gate)) == ("Completed", "closed")
    with reading(store) as session:
        [decision] = session.scalars(select(Decision).where(Decision.gate_id == gate))
    assert (decision.actor, decision.actor_kind) == ("ana", "unverified")
    assert decision.rationale == "because of the test"
    assert await kept(run, gate, 1, "response") is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"person": "nobody"}, "unknown_person"),
        ({"person": "policy"}, "unknown_person"),
        ({"person": "aud"}, "role"),
        ({"person": "cleo"}, "queue"),
        ({"evidence": "0" * 12}, "stale_evidence"),
        ({"evidence": "0" * 64}, "stale_evidence"),
        ({"evidence": "short-of-hex"}, "stale_evidence"),
        ({"action": "unsuspend"}, "action"),
        ({"action": ""}, "action"),
        ({"verdict": "escalate", "action": "", "escalate_to": "mixed"}, "escalation"),
    ],
    ids=str,
)
async def test_an_answer_the_guard_refuses_is_in_the_ledger_and_the_run_waits_anew(
    store: Engine, form: None, fields: dict[str, str], reason: str
) -> None:
    gate, run = await suspended_case(store)
    assert (await resume(run, filled_in(store, gate, **fields))).status == SetStateStatus.ACCEPT
    await finish(run)
    assert denials(store, gate) == [reason]
    assert (gate_status(store, gate), case_status(store, gate)) == ("open", "waiting")
    assert await offers_form(run, gate, 2)
    assert await kept(run, gate, 1, "response") is None
    assert (await resume(run, filled_in(store, gate, person="ben"))).status == SetStateStatus.ACCEPT
    await finish(run)
    assert case_status(store, gate) == "closed"


@pytest.mark.parametrize("queue", ["legal", "mixed"])
async def test_a_gate_that_can_need_two_people_offers_no_form_and_takes_none(
    store: Engine, form: None, queue: str
) -> None:
    gate, run = await suspended_case(store, queue=queue)
    assert not await offers_form(run, gate, 1)
    person = "lea" if queue == "legal" else "ana"
    body = filled_in(store, gate, person=person)
    assert (await resume(run, body)).status == SetStateStatus.ACCEPT
    assert await kept(run, gate, 1, "response") is None, "Prefect drops what no form asked for"
    await finish(run)
    assert (gate_status(store, gate), await state_of(run)) == ("open", "Suspended")
    assert not await offers_form(run, gate, 2)


async def test_an_answer_pushed_past_the_missing_form_is_refused(store: Engine, form: None) -> None:
    gate, run = await suspended_case(store, queue="mixed")
    await push(run, gate, filled_in(store, gate))
    await resume(run, None)
    await finish(run)
    assert denials(store, gate) == ["unverified"]
    assert (gate_status(store, gate), await state_of(run)) == ("open", "Suspended")


async def push(run: str, gate: str, body: dict[str, Any]) -> None:
    """Write a response as anybody with access to Prefect's API can."""
    async with get_client() as client:
        await client.create_flow_run_input(
            UUID(run), key_of(gate, 1, "response"), orjson.dumps(body).decode()
        )


@pytest.mark.parametrize("raw", ["[1]", '"approve"', "null", "{}", "{", "x"])
async def test_a_response_that_is_no_form_approves_nothing(
    store: Engine, form: None, raw: str
) -> None:
    gate, run = await suspended_case(store)
    async with get_client() as client:
        await client.create_flow_run_input(UUID(run), key_of(gate, 1, "response"), raw)
        assert await PrefectReviewRuns(client).wake([run])
    await finish(run)
    assert (gate_status(store, gate), await state_of(run)) == ("open", "Suspended")


async def test_a_decision_taken_elsewhere_wakes_the_run_past_its_form(
    store: Engine, form: None
) -> None:
    gate, run = await suspended_case(store)
    assert decide(store, gate, "ana")
    async with get_client() as client:
        assert await PrefectReviewRuns(client).wake([run])
        assert not await PrefectReviewRuns(client).wake([run]), "it is awake"
    await finish(run)
    assert (await state_of(run), case_status(store, gate)) == ("Completed", "closed")


async def test_a_form_filled_in_after_the_decision_is_told_too_late(
    store: Engine, form: None
) -> None:
    gate, run = await suspended_case(store)
    assert decide(store, gate, "ana")
    await resume(run, filled_in(store, gate, person="ben", action="suspend"))
    await finish(run)
    assert (await state_of(run), case_status(store, gate)) == ("Completed", "closed")
    assert denials(store, gate) == ["decided"]
    assert await kept(run, gate, 1, "response") is None
    with reading(store) as session:
        assert session.get_one(Gate, gate).action == "no_action"


async def test_a_case_handed_back_offers_the_form_at_its_next_gate(
    store: Engine, form: None
) -> None:
    gate, run = await suspended_case(store, queue="legal")
    assert decide(store, gate, "lea", verdict="escalate", action=None, escalate_to="general")
    await reconcile()
    await finish(run)
    following = next_gate(gate)
    assert run_of(store, following) == run
    assert await offers_form(run, following, 1)
    await resume(run, filled_in(store, following, person="nobody"))
    await finish(run)
    assert gate_status(store, following) == "open"
    assert await offers_form(run, following, 2)
    await resume(run, filled_in(store, following))
    await finish(run)
    assert (await state_of(run), case_status(store, gate)) == ("Completed", "closed")


async def test_a_run_woken_at_its_second_gate_suspends_there_again(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    decide(store, gate, "ana", verdict="escalate", action=None, escalate_to="legal")
    await reconcile()
    await finish(run)
    for _ in range(2):
        assert await state_of(run) == "Suspended"
        await resume(run, None)
        await finish(run)
    assert gate_status(store, next_gate(gate)) == "open"
    assert history(store, gate).count("gate.woken") == 2


def next_gate(gate: str) -> str:
    return make_gate_id("c" + gate[1:].split("-")[0], 1, 2)


async def test_making_the_same_run_again_leaves_its_form_as_it_is(
    store: Engine, form: None
) -> None:
    gate, _ = await suspended_case(store)
    request = RunRequest(
        case_id="c1", gate_id=gate, key=f"again:{gate}", attempt=1, suspended=True, takes_form=True
    )
    async with get_client() as client:
        runs = PrefectReviewRuns(client)
        first = await runs.make(request)
        assert await runs.make(request) == first
    assert await offers_form(first, gate, 1)


async def test_without_the_setting_no_form_is_offered_and_none_is_read(
    store: Engine, deployed: None
) -> None:
    gate, run = await suspended_case(store)
    assert not await offers_form(run, gate, 1)
    await push(run, gate, filled_in(store, gate))
    await resume(run, filled_in(store, gate))
    await finish(run)
    assert (gate_status(store, gate), await state_of(run)) == ("open", "Suspended")
    assert "gate.answered" not in history(store, gate)
