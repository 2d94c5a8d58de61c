"""Re-reviews over the API: blind, refused to who took part, in the history."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.console.app import create_app
from casework.store.engine import reading
from casework.store.ledger import entries_of
from casework.store.qa.gates import qa_gate_by_id
from tests.factories.consoles import console_of
from tests.factories.qa import LATER, decided, drawn, mark_cases, qa_bundle, staffed
from tests.factories.tokens import bearer_of


@pytest.fixture
def now() -> datetime:
    """After the round was drawn."""
    return LATER


@pytest.fixture
def engine(bare_engine: Engine) -> Engine:
    """Two decisions of people, each to be looked at by two reviewers."""
    staffed(bare_engine)
    decided(bare_engine, people=["ana", "ben"])
    drawn(bare_engine, "twice")
    return bare_engine


@pytest.fixture
def app(engine: Engine, now: datetime) -> Any:
    """A console under the policy that has the plans."""
    return create_app(console_of(engine, lambda: now, bundle=qa_bundle()))


def program(app: Any, engine: Engine, person: str) -> TestClient:
    header = bearer_of(engine, person, now=LATER)
    return TestClient(app, base_url="http://testserver/api/v1", headers=header)


def test_a_reviewer_goes_through_the_list_and_answers_blind(app: Any, engine: Engine) -> None:
    client = program(app, engine, "mia")
    first = client.get("/reviews", params={"limit": 1}).json()
    second = client.get("/reviews", params={"cursor": first["next_cursor"]}).json()
    assert len(first["items"] + second["items"]) > 1
    gate = first["items"][0]["id"]
    shown = client.get(f"/reviews/{gate}").json()
    assert shown["content"]
    assert shown["decisions"] == []
    assert not {"ana", "ben", "because of the test"} & set(str(shown).split("'"))
    answer = {"verdict": "refuse", "rationale": "it is civil", "evidence": shown["evidence"]}
    stale = client.post(f"/reviews/{gate}/answer", json=answer | {"evidence": "0" * 64})
    assert (stale.status_code, stale.json()["reason"]) == (409, "stale_evidence")
    assert client.post(f"/reviews/{gate}/answer", json=answer).json() == {"gate": gate}
    with reading(engine) as session:
        answered = qa_gate_by_id(session, gate)
        told = [(e.action, e.actor) for e in entries_of(session, answered.case_id)]
    assert answered.answered_by == "mia"
    assert ("case.viewed", "mia") in told
    assert ("qa.answered", "mia") in told


def test_who_took_part_may_neither_look_nor_answer(app: Any, engine: Engine) -> None:
    gate = program(app, engine, "mia").get("/reviews").json()["items"][0]["id"]
    for who in ("ana", "ben"):
        client = program(app, engine, who)
        assert client.get("/reviews").json()["items"] == []
        assert client.get(f"/reviews/{gate}").status_code == 403
    with reading(engine) as session:
        case = qa_gate_by_id(session, gate).case_id
        assert "qa.denied" in [entry.action for entry in entries_of(session, case)]


def test_marked_content_of_a_re_review_is_sent_only_when_it_is_asked_for(
    app: Any, engine: Engine
) -> None:
    mark_cases(engine)
    client = program(app, engine, "mia")
    path = f"/reviews/{client.get('/reviews').json()['items'][0]['id']}"
    covered = client.get(path).json()
    assert (covered["covered"], covered["content"], covered["clauses"]) == (True, {}, [])
    with reading(engine) as session:
        gate = qa_gate_by_id(session, covered["gate"]["id"])
        assert "case.viewed" not in [each.action for each in entries_of(session, gate.case_id)]
    shown = client.get(path, params={"uncovered": True}).json()
    assert shown["content"]["body"].startswith("secret body")
    assert [each["id"] for each in shown["clauses"]] == ["C1"]
    with reading(engine) as session:
        last = entries_of(session, gate.case_id)[-1]
    assert (last.action, '"marked":"conduct"' in last.body) == ("case.viewed", True)
