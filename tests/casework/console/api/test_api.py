"""What programs do over the API: over the same guards, in the same history as people's pages."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.errors import ProviderRefused
from casework.ledger.checkpoint import parse_verifier
from casework.ledger.export import verify_export
from casework.policy.bundle import bundle_from_files
from casework.store.engine import reading, transaction
from casework.store.gates import assign_run
from casework.store.ledger import entries_of
from casework.store.sealing import seal
from casework.store.sending import note_failure
from casework.store.tables import Case
from casework.store.tokens import revoke_token, tokens
from tests.casework.console.api.conftest import Program
from tests.casework.console.asking import actions, case_of
from tests.casework.console.conftest import Prefect
from tests.factories.consoles import console_of
from tests.factories.effects import effect, queue, take
from tests.factories.escalation import timed_case
from tests.factories.gates import BY, NOW, evidence_of, waiting_case
from tests.factories.intake import row, rows_file, taken_in
from tests.factories.ledger import signer
from tests.factories.policy import FILES
from tests.factories.tokens import bearer_of

ANSWER = {
    "verdict": "approve",
    "action": "no_action",
    "rationale": "read it",
    "evidence": evidence_of("T-1")[:12],
}


def test_a_program_takes_the_next_case_reads_it_and_decides(
    program: Program, engine: Engine, gate: str, prefect: Prefect
) -> None:
    with transaction(engine) as session:
        assign_run(session, gate, "0199", BY, NOW)
    client = program("ana", "read", "decide")
    taken = client.post("/approvals/next").json()
    assert taken == {"gate": gate, "case": case_of(engine, gate)}
    case = client.get(f"/cases/{taken['case']}").json()
    assert case["content"]["body"] == "body of T-1"
    assert case["gate"]["is_mine"]
    done = client.post(
        f"/gates/{gate}/answer", json=ANSWER | {"evidence": case["gate"]["evidence"]}
    )
    assert done.json()["decided"]
    assert done.json()["woken"]
    assert prefect.woken == ["0199"]
    with reading(engine) as session:
        told = [(e.action, e.actor) for e in entries_of(session, taken["case"])]
    for action in ("gate.claimed", "case.viewed", "gate.answered", "gate.decided"):
        assert (action, "ana") in told


def test_a_refusal_is_a_problem_with_the_guards_reason_and_in_the_history(
    program: Program, engine: Engine, gate: str
) -> None:
    program("ana").post(f"/gates/{gate}/claim", json={})
    held = program("ben").post(f"/gates/{gate}/claim", json={})
    assert held.status_code == 409
    assert held.headers["content-type"] == "application/problem+json"
    assert held.json() | {"hint": ""} == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "ana has this gate",
        "code": "conflict",
        "hint": "",
        "reason": "held",
        "faults": [],
    }
    assert actions(engine, gate)[-1] == "gate.denied"


def test_an_answer_about_other_evidence_is_stale(
    program: Program, engine: Engine, gate: str
) -> None:
    done = program("ana").post(f"/gates/{gate}/answer", json=ANSWER | {"evidence": "0" * 64})
    assert (done.status_code, done.json()["reason"]) == (409, "stale_evidence")
    assert "gate.answered" not in actions(engine, gate)


def test_a_gate_is_held_resumed_assigned_and_released(
    program: Program, engine: Engine, gate: str, now: datetime
) -> None:
    client = program("ana")
    client.post(f"/gates/{gate}/claim", json={})
    until = (now + timedelta(days=1)).isoformat()
    held = client.post(f"/gates/{gate}/hold", json={"reason": "reporter", "follow_up_at": until})
    assert held.json()["hold_reason"] == "reporter"
    assert client.post(f"/gates/{gate}/resume").json()["hold_reason"] is None
    assert client.post(f"/gates/{gate}/assign", json={"person": "ben"}).json()["holder"] == "ben"
    assert client.post(f"/gates/{gate}/release").status_code == 403
    assert program("ben").post(f"/gates/{gate}/release").json()["holder"] is None


def test_taking_over_wants_the_scope_of_leads(program: Program, gate: str) -> None:
    program("ana").post(f"/gates/{gate}/claim", json={})
    over = {"take_over": True}
    narrow = program("one_lead", "decide").post(f"/gates/{gate}/claim", json=over)
    assert narrow.status_code == 403
    wide = program("one_lead", "decide", "lead").post(f"/gates/{gate}/claim", json=over)
    assert wide.json()["holder"] == "one_lead"


def test_a_request_under_a_key_is_done_once(program: Program, engine: Engine, gate: str) -> None:
    client, key = program("ana"), {"Idempotency-Key": "k-1"}
    first = client.post(f"/gates/{gate}/answer", json=ANSWER, headers=key)
    before = actions(engine, gate)
    again = client.post(f"/gates/{gate}/answer", json=ANSWER, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert actions(engine, gate) == before
    other = client.post(f"/gates/{gate}/answer", json=ANSWER | {"rationale": "no"}, headers=key)
    assert other.status_code == 409
    assert other.json()["reason"] == "key_used"
    plain = client.post(f"/gates/{gate}/answer", json=ANSWER)
    assert plain.status_code == 409, "without a key the guard says that it was answered"


def test_a_refusal_under_a_key_is_answered_the_same(program: Program, gate: str) -> None:
    client, key = program("ana"), {"Idempotency-Key": "k-2"}
    wrong = [
        client.post(f"/gates/{gate}/answer", json={"verdict": "perhaps"}, headers=key)
        for _ in range(2)
    ]
    assert [each.status_code for each in wrong] == [422, 422]
    assert wrong[0].json() == wrong[1].json()
    assert "perhaps" not in wrong[0].text, "what was sent is not repeated"
    assert {fault["where"] for fault in wrong[0].json()["faults"]} == {
        "body.verdict",
        "body.rationale",
        "body.evidence",
    }


def test_a_list_goes_on_where_it_stopped(program: Program, engine: Engine, gate: str) -> None:
    for number in range(2, 6):
        waiting_case(engine, f"T-{number}", severity="P1" if number == 5 else "P2")
    client, seen, cursor = program("ana"), [], ""
    while True:
        page = client.get(
            "/approvals", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        )
        seen += [row["gate"] for row in page.json()["items"]]
        if not (cursor := page.json()["next_cursor"]):
            break
    whole = client.get("/approvals", params={"limit": 200}).json()["items"]
    assert seen == [row["gate"] for row in whole]
    assert len(set(seen)) == 5
    assert whole[0]["severity"] == "P1"
    assert client.get("/approvals", params={"cursor": "g0000"}).status_code == 404


def test_auditors_search_page_by_page_and_verify(
    program: Program, engine: Engine, gate: str
) -> None:
    client, case = program("aud"), case_of(engine, gate)
    seen, cursor = [], ""
    while True:
        asked = {"chain": "system", "limit": "5"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/ledger/entries", params=asked).json()
        seen += [entry["position"] for entry in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 0
    assert client.post("/ledger/verify").json()["verified"]
    assert client.get(f"/cases/{case}/story").json()["acts"][0]["action"] == "gate.opened"


def test_a_token_that_asks_too_often_is_told_how_long_to_wait(
    engine: Engine, now: datetime
) -> None:
    app = create_app(console_of(engine, lambda: now, api_per_minute=20))
    client = TestClient(app, headers=bearer_of(engine, "ana"))
    other = TestClient(app, headers=bearer_of(engine, "ana"))
    answers = [client.get("/api/v1/me") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "3"
    assert other.get("/api/v1/me").status_code == 200, "each token counts for itself"


def test_a_revoked_token_is_dead_at_once_and_its_use_is_known(
    program: Program, engine: Engine
) -> None:
    client = program("ana", "read")
    assert client.get("/me").json()["scopes"] == ["read"]
    with transaction(engine) as session:
        [token] = tokens(session, "ana")
        assert token.used_at == NOW
        revoke_token(session, token.id, BY, NOW)
    refused = client.get("/me")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/nowhere", "/cases", "/gates/g1", "/gates/g%0A1"])
def test_what_there_is_not_is_a_problem_too(program: Program, path: str) -> None:
    done = program("ana").get(path)
    assert (done.status_code, done.json()["code"]) == (404, "not_found")


def test_an_error_that_nobody_foresaw_tells_nothing(engine: Engine, now: datetime) -> None:
    def broken() -> Any:
        raise ZeroDivisionError("secret of the inside")

    app = create_app(console_of(engine, lambda: now, verifier=broken))
    header = bearer_of(engine, "aud") | {"Idempotency-Key": "k"}
    client = TestClient(app, headers=header, raise_server_exceptions=False)
    for _ in range(2):
        done = client.post("/api/v1/ledger/verify")
        assert (done.status_code, done.json()["code"]) == (500, "error"), "and asked anew"
        assert "secret" not in done.text


def test_a_case_is_taken_away_with_proofs_that_stand_alone(
    program: Program, engine: Engine, gate: str
) -> None:
    seal(engine, signer(), NOW)
    done = program("aud").get(f"/ledger/cases/{case_of(engine, gate)}/export")
    assert done.headers["content-type"].startswith("application/jsonl")
    key = parse_verifier(str(signer().verifier))
    report = verify_export(done.content.splitlines(keepends=True), key)
    assert report.case == case_of(engine, gate)


def test_what_is_covered_is_sent_and_seen_only_when_it_is_asked_for(
    engine: Engine, now: datetime
) -> None:
    marked = FILES["categories.yaml"].replace("{C1: Be civil.}}", "{C1: Be civil.}, covered: true}")
    rules = FILES["rules.yaml"].replace("reason: A threat.", "category: conduct, reason: A threat.")
    bundle = bundle_from_files({**FILES, "categories.yaml": marked, "rules.yaml": rules})
    gate = waiting_case(engine, bundle=bundle)
    with transaction(engine) as session:
        session.get_one(Case, case_of(engine, gate)).rule_id = "threat"
    app, header = (
        create_app(console_of(engine, lambda: now, bundle=bundle)),
        bearer_of(engine, "ana"),
    )
    client = TestClient(app, headers=header)
    path = f"/api/v1/cases/{case_of(engine, gate)}"
    covered = client.get(path).json()
    assert (covered["covered"], covered["content"]) == (True, {})
    assert "case.viewed" not in actions(engine, gate)
    assert client.get(path, params={"uncovered": True}).json()["content"]["body"] == "body of T-1"
    assert actions(engine, gate)[-1] == "case.viewed"


def test_leads_see_what_runs_out_and_try_dead_effects_again(
    program: Program, engine: Engine
) -> None:
    gate = timed_case(engine, "timed")
    queue(engine, effect("act:g1:log", case_id=None))
    [claimed] = take(engine)
    with transaction(engine) as session:
        note_failure(session, claimed, ProviderRefused("no"), None, BY, NOW)
    client = program("one_lead")
    [row] = client.get("/effects").json()["items"]
    assert (row["key"], row["error"]) == ("act:g1:log", "provider_refused")
    assert client.post(f"/effects/{row['key']}/retry").json()["status"] == "waiting"
    assert client.get("/effects").json()["items"] == []
    clocks = client.get("/clocks").json()["items"]
    assert {clock["gate"] for clock in clocks} == {gate}
    kinds = {clock["clock"] for clock in clocks}
    case = client.get(f"/cases/{case_of(engine, gate)}").json()
    assert {clock["kind"] for clock in case["gate"]["clocks"]} == kinds
    policy = client.get("/policy").json()
    assert [rule["id"] for rule in policy["rules"]] == ["threat", "spam"]


def test_rows_are_retried_and_discarded_once_under_the_persons_name(
    program: Program, engine: Engine, tmp_path: Path
) -> None:
    taken_in(engine, rows_file(tmp_path / "rows.jsonl", b"broken", b"hopeless"))
    client = program("one_lead")
    first, second = (each["id"] for each in client.get("/quarantine").json()["items"])
    refused = client.post(f"/quarantine/{first}/retry", json={})
    assert (refused.status_code, refused.json()["reason"]) == (422, "broken_json")
    whole = json.dumps(row("T-1"))
    asked = {"json": {"data": whole}, "headers": {"Idempotency-Key": "k1"}}
    answers = [client.post(f"/quarantine/{first}/retry", **asked) for _ in range(2)]
    assert answers[0].json()["outcome"] == "opened"
    assert answers[0].json() == answers[1].json()
    assert client.post(f"/quarantine/{first}/retry", json={}).status_code == 409
    given_up = client.post(f"/quarantine/{second}/discard", json={"reason": "noise"})
    assert given_up.json()["status"] == "discarded"
    with reading(engine) as session:
        done = [(each.action, each.actor) for each in entries_of(session, "i1")][-2:]
    assert done == [("row.retried", "one_lead"), ("row.discarded", "one_lead")]
