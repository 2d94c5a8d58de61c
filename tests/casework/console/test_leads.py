"""Leads' pages: what they show, to whom, and what can be done from them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.console.identity import COOKIE
from casework.errors import ProviderRefused
from casework.policy.faults import Fault
from casework.store.accounts import open_session
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.outbox import effect_by_key
from casework.store.people import add_person
from casework.store.quarantine import list_rows
from casework.store.restrictions import restrict
from casework.store.sending import note_failure
from tests.casework.console.asking import case_of, post
from tests.casework.console.conftest import SignIn
from tests.factories.consoles import console_of
from tests.factories.effects import effect, queue, take
from tests.factories.escalation import timed_case
from tests.factories.gates import BY, NOW, waiting_case
from tests.factories.incidents import commanded
from tests.factories.intake import row, rows_file, taken_in

PAGES = ("", "/clocks", "/effects", "/quarantine", "/incidents", "/policy", "/health")


@pytest.fixture
def lead(signed_in: SignIn, engine: Engine) -> TestClient:
    """A lead of every queue, signed in."""
    with transaction(engine) as session:
        add_person(session, "led", name="led", roles=["lead"], queues=["*"], by=BY, now=NOW)
    return signed_in("led")


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_for_leads_alone(signed_in: SignIn, lead: TestClient, path: str) -> None:
    assert lead.get(f"/leads{path}").status_code == 200
    for who in ("ana", "lea", "aud"):
        assert signed_in(who).get(f"/leads{path}").status_code == 403


def test_the_board_tells_what_is_overdue_and_on_hold(lead: TestClient, engine: Engine) -> None:
    late = timed_case(engine, "T-1", severity="P2", opened_at=NOW - timedelta(hours=6))
    gate = timed_case(engine, "T-2", severity="P2")
    post(lead, f"/gates/{gate}/claim")
    post(lead, f"/gates/{gate}/hold", reason="colleague", follow_up="2026-03-03T09:00")
    board = lead.get("/leads").text
    assert "1 overdue" in board
    assert 'data-label="On hold">1<' in board
    overdue = lead.get("/leads/clocks?show=breached").text
    assert case_of(engine, late) in overdue
    assert case_of(engine, gate) not in overdue


def test_a_lead_of_one_queue_sees_no_clock_of_another(signed_in: SignIn, engine: Engine) -> None:
    with transaction(engine) as session:
        add_person(session, "gen", name="gen", roles=["lead"], queues=["general"], by=BY, now=NOW)
    gates = [timed_case(engine, f"T-{name}", queue=name) for name in ("general", "mixed")]
    page = signed_in("gen").get("/leads/clocks").text
    assert [case_of(engine, gate) in page for gate in gates] == [True, False]


def test_a_dead_effect_is_tried_again_under_the_leads_name(
    lead: TestClient, engine: Engine
) -> None:
    case = case_of(engine, waiting_case(engine))
    queue(engine, effect(case_id=case))
    [claimed] = take(engine)
    with transaction(engine) as session:
        note_failure(session, claimed, ProviderRefused("they said no"), None, BY, NOW)
    assert "provider_refused" in lead.get("/leads/effects").text
    post(lead, "/leads/effects/retry", key=claimed.effect.key)
    with reading(engine) as session:
        assert effect_by_key(session, claimed.effect.key).status == "waiting"
        last = entries_of(session, case)[-1]
    assert (last.action, last.actor) == ("effect.retried", "led")
    assert post(lead, "/leads/effects/retry", key="none").status_code == 404


def test_quarantine_shows_reasons_and_no_content(
    lead: TestClient, engine: Engine, tmp_path: Path
) -> None:
    taken_in(engine, rows_file(tmp_path / "rows.jsonl", b"a secret line"))
    page = lead.get("/leads/quarantine").text
    assert "broken_json" in page
    assert "secret" not in page


def test_a_row_is_read_again_corrected_or_given_up_under_the_leads_name(
    lead: TestClient, signed_in: SignIn, engine: Engine, tmp_path: Path
) -> None:
    taken_in(engine, rows_file(tmp_path / "rows.jsonl", b"broken", b"hopeless"))
    with reading(engine) as session:
        first, second = (each.id for each in list_rows(session))
    path = f"/leads/quarantine/{first}"
    assert post(signed_in("ana"), f"{path}/discard", reason="because").status_code == 403
    refused = post(lead, f"{path}/retry")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert "a correction is field=value" in post(lead, f"{path}/retry", fields="nothing").text
    kept = waiting_case(engine, "T-9")
    with transaction(engine) as session:
        restrict(session, case_of(engine, kept), ["ben"], "because", BY, NOW, operating=True)
    foreign = post(lead, f"{path}/retry", data=json.dumps(row("T-9")))
    assert foreign.status_code == 404, "nothing is done to a case that is kept from the lead"
    whole = json.dumps(row("T-1"))
    assert "opened c" in post(lead, f"{path}/retry", data=whole).text
    assert post(lead, f"{path}/retry", data=whole).status_code == 409
    assert "for a reason" in post(lead, f"/leads/quarantine/{second}/discard").text
    assert "discarded" in post(lead, f"/leads/quarantine/{second}/discard", reason="noise").text
    assert "No row waits" in lead.get("/leads/quarantine").text
    with reading(engine) as session:
        done = [(each.action, each.actor) for each in entries_of(session, "i1")][-2:]
    assert done == [("row.retried", "led"), ("row.discarded", "led")]


def test_an_incident_has_its_roles_timeline_and_report(lead: TestClient, engine: Engine) -> None:
    with transaction(engine) as session:
        for who, role in (("lou", "lead"), ("mia", "senior")):
            add_person(session, who, name=who, roles=[role], queues=["*"], by=BY, now=NOW)
    incident = commanded(engine)
    assert "A secret title" in lead.get("/leads/incidents").text
    page = lead.get(f"/leads/incidents/{incident}").text
    for told in ("commander", "mia is commander", "opened the incident as P1", "Report"):
        assert told in page
    assert lead.get("/leads/incidents/none").status_code == 404


def test_the_policy_page_has_rules_in_order_and_faults_of_the_files(
    lead: TestClient, engine: Engine
) -> None:
    page = lead.get("/leads/policy").text
    assert page.index("A threat.") < page.index("Spam.")
    assert "No faults" in page
    fault = Fault("rules.yaml", 3, 1, "no such queue: legall")
    app = create_app(console_of(engine, lambda: NOW, lint=lambda: [fault]))
    with transaction(engine) as session:
        secret = open_session(session, "led", BY, NOW)
    page = TestClient(app, cookies={COOKIE: secret}).get("/leads/policy").text
    assert "1 fault in" in page
    assert "rules.yaml:3:1: no such queue: legall" in page
