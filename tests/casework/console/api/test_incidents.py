"""Incidents over the API: the same guard as the command line's, and the same history."""

from sqlalchemy import Engine

from casework.store.engine import reading
from casework.store.ledger import entries_of
from tests.casework.console.api.conftest import Program


def test_a_lead_opens_commands_moves_and_closes_an_incident(
    program: Program, engine: Engine
) -> None:
    client = program("one_lead")
    opening = {"title": "Spam", "severity": "P2", "key": "page-1"}
    made = [client.post("/incidents", json=opening).json() for _ in range(2)]
    assert made[0]["id"] == made[1]["id"], "the same key opens it once"
    there = f"/incidents/{made[0]['id']}"
    client.post(f"{there}/assume", json={"role": "commander"})
    assert client.post(f"{there}/rate", json={"severity": "P1"}).json()["severity"] == "P1"
    told = client.post(f"{there}/notes", json={"text": "one network"}).json()
    assert "one network" in told["report"]
    early = client.post(f"{there}/close")
    assert (early.status_code, early.json()["reason"]) == (409, "move")
    assert client.post(f"{there}/move", json={"status": "resolved"}).json()["status"] == "resolved"
    assert client.post(f"{there}/renounce", json={"role": "commander"}).status_code == 200
    assert client.post(f"{there}/close").json()["status"] == "closed"
    late = client.post(f"{there}/rate", json={"severity": "P0"})
    assert (late.status_code, late.json()["reason"]) == (409, "closed")
    with reading(engine) as session:
        done = [(each.action, each.actor) for each in entries_of(session, made[0]["id"])]
    assert [action for action, _ in done if action == "incident.denied"] == ["incident.denied"] * 2
    assert {actor for _, actor in done} == {"one_lead"}


def test_a_note_and_an_update_under_a_key_are_written_once(
    program: Program, engine: Engine
) -> None:
    client = program("one_lead")
    made = client.post("/incidents", json={"title": "Spam", "severity": "P2"}).json()["id"]
    note = {"json": {"text": "seen"}, "headers": {"Idempotency-Key": "n1"}}
    for _ in range(2):
        assert client.post(f"/incidents/{made}/notes", **note).status_code == 200
    with reading(engine) as session:
        actions = [each.action for each in entries_of(session, made)]
    assert actions.count("incident.noted") == 1
    asked = {"macro": "no_such", "audience": "internal"}
    refused = client.post(f"/incidents/{made}/updates", json=asked)
    assert refused.status_code == 422
    assert "no macro no_such" in refused.json()["detail"]


def test_what_the_policy_or_the_incident_has_not_is_refused(program: Program) -> None:
    client = program("one_lead")
    opening = {"title": "Spam", "severity": "P2", "category": "none"}
    assert "no category none" in client.post("/incidents", json=opening).json()["detail"]
    assert client.post("/incidents/inc0/close").status_code == 404
    made = client.post("/incidents", json={"title": "Spam", "severity": "P2"}).json()["id"]
    unfit = {"role": "commander", "person": "one_auditor"}
    refused = client.post(f"/incidents/{made}/assume", json=unfit)
    assert (refused.status_code, refused.json()["reason"]) == (403, "not_qualified")
