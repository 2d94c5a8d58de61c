"""People of a vendor that has been given queues: beyond those there is nothing for them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.answering import answer_gate
from casework.console.app import create_app
from casework.effects import Effect, EffectKind, EffectStatus
from casework.errors import Denied
from casework.store.access import bound_vendor
from casework.store.assignment import assign, claim
from casework.store.engine import transaction
from casework.store.outbox import effect_by_key, enqueue
from casework.store.people import add_person
from casework.store.tables import Case
from casework.store.tokens import Request, make_token
from casework.store.vendors import add_vendor
from tests.casework.console.asking import Anything, actions, case_of, csrf, post, routes
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.effects import leaving_bundle
from tests.factories.escalation import assignment_at, person, timed_case
from tests.factories.gates import BY, NOW, answer, evidence_of, waiting_case

BUNDLE = leaving_bundle()
EVERYTHING = ["analyst", "senior", "lead", "qa", "auditor", "admin"]
OVERALL = ("health", "quarantine", "incidents", "policy", "plans", "agreement")


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A store with people of acme, which has been given one queue of those it might see."""
    with transaction(engine) as session:
        add_vendor(session, "acme", queues=["general"], by=BY, now=NOW)
        add_vendor(session, "bolt", by=BY, now=NOW)
        for who, roles, vendor in (
            ("lou", ["lead"], None),
            ("val", ["lead"], "acme"),
            ("vic", ["analyst"], "acme"),
            ("vix", EVERYTHING, "acme"),
            ("bob", ["lead"], "bolt"),
        ):
            add_person(
                session, who, name=who, roles=roles, queues=["*"], vendor=vendor, by=BY, now=NOW
            )
    return engine


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case in the queue that the vendor has been given."""
    return waiting_case(engine, "T-in", bundle=BUNDLE)


@pytest.fixture
def beyond(engine: Engine) -> str:
    """A case in another queue, more urgent, and an effect of it that is dead."""
    found = waiting_case(engine, "T-out", queue="mixed", severity="P0", bundle=BUNDLE)
    with transaction(engine) as session:
        made = Effect("act:out", EffectKind.ACT, "platform", case_of(engine, found))
        enqueue(session, [made], BY, NOW)
        effect_by_key(session, "act:out").status = EffectStatus.DEAD
    return found


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """A console under a policy that has destinations."""
    return create_app(console_of(engine, lambda: now, prefect.wake, bundle=BUNDLE))


@pytest.mark.parametrize("who", ["val", "vic", "vix"])
def test_every_route_answers_as_for_a_case_that_does_not_exist(
    app: Any, signed_in: SignIn, engine: Engine, beyond: str, who: str
) -> None:
    client, case, before = signed_in(who), case_of(engine, beyond), actions(engine, beyond)
    about = [
        (m, p)
        for m, p in routes(app)
        if not p.startswith("/api/") and ("{case_id}" in p or "{gate}" in p)
    ]
    assert len(about) > 14
    for method, path in about:
        answers = []
        for case_id, gate in ((case, beyond), ("c0", "g0")):
            there = path.format_map(Anything(queue="general", case_id=case_id, gate=gate))
            fields = {"person": "val", "reason": "because", "verdict": "refuse"}
            fields |= {"rationale": "because", "evidence": evidence_of("T-out")}
            done = post(client, there, **fields) if method == "POST" else client.get(there)
            text = done.text.replace(gate, "gate").replace(case_id, "case_id")
            answers.append((done.status_code, text))
        assert answers[0] == answers[1], f"{method} {path}"
        assert answers[0][0] in (403, 404), f"{method} {path}"
    after = actions(engine, beyond)[len(before) :]
    assert not {*after} - {"gate.denied"}, "nothing is done, and nothing seen"


def test_lists_counts_search_and_links_end_at_the_vendors_queues(
    signed_in: SignIn, engine: Engine, gate: str, beyond: str
) -> None:
    val, case = signed_in("val"), case_of(engine, beyond)
    for path in ("/", "/leads", "/leads/clocks", "/leads/effects", "/queues/general"):
        page = val.get(path)
        assert page.status_code == 200
        assert not {case, beyond, "T-out", "P0"} & set(page.text.split('"'))
        assert "T-out" not in page.text
        assert "/queues/mixed" not in page.text
    assert "T-in" in val.get("/queues/general").text
    assert val.get("/queues/mixed").status_code == 404
    for reference in (case, beyond, "test:T-out"):
        assert val.get("/find", params={"reference": reference}).status_code == 404
    assert val.get("/find", params={"reference": "test:T-in"}).status_code == 303
    assert post(val, "/leads/effects/retry", key="act:out").status_code == 404
    assert "act:out" in signed_in("lou").get("/leads/effects").text


def test_the_past_of_a_subject_links_to_nothing_beyond(
    signed_in: SignIn, engine: Engine, gate: str, beyond: str
) -> None:
    with transaction(engine) as session:
        for each in (gate, beyond):
            session.get_one(Case, case_of(engine, each)).subject_id = "s1"
    path = f"/cases/{case_of(engine, gate)}"
    assert "T-out" in signed_in("lou").get(path).text
    assert "T-out" not in signed_in("val").get(path).text


def test_what_is_of_all_queues_is_shown_to_no_bounded_lead(signed_in: SignIn, gate: str) -> None:
    val = signed_in("val")
    boards = val.get("/leads").text
    for name in OVERALL:
        assert val.get(f"/leads/{name}").status_code == 403
        assert f'href="/leads/{name}"' not in boards
    assert signed_in("vix").get("/audit").status_code == 403
    free = signed_in("bob")
    assert all(free.get(f"/leads/{name}").status_code == 200 for name in OVERALL[:-1])


def test_a_bounded_lead_is_offered_and_gives_to_people_of_their_own_vendor_alone(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    val = signed_in("val")
    timed_case(engine, "T-timed")
    clocks = val.get("/leads/clocks").text
    choice = val.get(f"/gates/{gate}/assign").text
    for page in (choice, val.get("/queues/general").text, clocks):
        assert 'value="vic"' in page
        assert not [who for who in ("ana", "ben", "lou", "bob") if f'value="{who}"' in page]
    data = {"csrf": csrf(val), "gate": [gate], "person": "ana"}
    assert "nobody is known by that id" in val.post("/queues/general/assign", data=data).text
    assert "nobody is known by that id" in val.post("/leads/clocks/assign", data=data).text
    post(val, f"/gates/{gate}/assign", person="vic")
    assert assignment_at(engine, gate).holder == "vic"
    assert 'value="ana"' in signed_in("lou").get("/queues/general").text


def test_who_may_know_of_a_case_is_not_a_vendors_to_say(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    val, path = signed_in("val"), f"/cases/{case_of(engine, gate)}"
    assert "Keep it to named people" not in val.get(path).text
    assert post(val, f"{path}/restrict", person="vic", reason="because").status_code == 403


def test_next_claims_and_answers_end_at_the_vendors_queues(
    signed_in: SignIn, engine: Engine, gate: str, beyond: str
) -> None:
    assert post(signed_in("vic"), "/next").headers["location"].endswith(case_of(engine, gate))
    with transaction(engine) as session, pytest.raises(Denied, match="does not work in queue"):
        claim(session, beyond, timedelta(minutes=30), person("vic"), NOW)
    with transaction(engine) as session, pytest.raises(Denied, match="does not work in queue"):
        assign(session, beyond, "vic", person("lou"), NOW)
    with pytest.raises(Denied, match="does not work in queue"):
        answer_gate(engine, beyond, "vic", answer("T-out"), now=NOW)
    assert answer_gate(engine, gate, "vic", answer("T-in"), now=NOW).decided


def test_narrower_bounds_take_back_what_is_held_beyond_them(engine: Engine, beyond: str) -> None:
    with transaction(engine) as session:
        bound_vendor(session, "acme", ["*"], BY, NOW)
        assign(session, beyond, "vic", person("lou"), NOW)
        assert bound_vendor(session, "acme", ["general"], BY, NOW) == 1
    assert assignment_at(engine, beyond).holder is None
    assert actions(engine, beyond)[-1] == "gate.released"


def test_live_updates_are_of_the_vendors_queues(
    signed_in: SignIn, engine: Engine, beyond: str
) -> None:
    vic = signed_in("vic")
    assert vic.get("/events", params={"queue": "mixed"}).status_code == 404
    case = case_of(engine, beyond)
    assert vic.get("/events", params={"case": case}).status_code == 404


def test_the_api_ends_where_the_pages_do(
    app: Any, signed_in: SignIn, engine: Engine, gate: str, beyond: str
) -> None:
    with transaction(engine) as session:
        wanted = Request("val", "t", ("read", "decide", "lead"), timedelta(days=1))
        _, secret = make_token(session, wanted, BY, NOW)
    api = TestClient(app, headers={"Authorization": f"Bearer {secret}"})
    assert api.get("/api/v1/me").json()["queues"] == ["general"]
    assert [each["queue"] for each in api.get("/api/v1/queues").json()] == ["general"]
    assert [each["gate"] for each in api.get("/api/v1/approvals").json()["items"]] == [gate]
    assert api.get("/api/v1/find", params={"reference": beyond}).status_code == 404
    assert api.get("/api/v1/approvals", params={"queue": "mixed"}).status_code == 404
    assert api.get("/api/v1/approvals", params={"cursor": beyond}).status_code == 404
    assert api.get(f"/api/v1/cases/{case_of(engine, beyond)}").status_code == 404
    assert api.get("/api/v1/effects").json()["items"] == []
    assert api.post("/api/v1/effects/act:out/retry").status_code == 404
    for name in ("incidents", "quarantine", "policy"):
        assert api.get(f"/api/v1/{name}").status_code == 403
    assert api.post(f"/api/v1/gates/{beyond}/claim", json={}).status_code == 404
    assert api.post("/api/v1/approvals/next").json()["gate"] == gate
