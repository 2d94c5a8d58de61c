"""What each page shows and does, and to whom."""

import asyncio
import re
import time
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.accounts import csrf_token
from casework.answering import answer_gate
from casework.console import doing, ports
from casework.console.app import create_app
from casework.console.identity import COOKIE
from casework.console.security import HEADERS
from casework.store.accounts import make_link, open_session, set_password
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.gates import assign_run
from casework.store.ledger import entries_of
from casework.store.people import add_person, change_person
from tests.casework.console.asking import Anything, actions, case_of, csrf, routes
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.gates import BY, NOW, evidence_of, waiting_case
from tests.factories.gates import answer as given

PASSWORD = "correct horse battery"

#: What nobody needs to have signed in for.
OPEN = {("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/sign-in/{link}")}
OPEN |= {("POST", "/sign-in/{link}"), ("GET", "/api/v1/openapi.json")}
OPEN |= {("GET", f"/single-sign-on/{step}") for step in ("begin", "back", "out")}


def answer(client: TestClient, gate: str, **fields: str) -> Any:
    form = {
        "verdict": "approve",
        "action": "no_action",
        "rationale": "read it",
        "csrf": csrf(client),
    }
    form["evidence"] = evidence_of("T-1")
    return client.post(f"/gates/{gate}/answer", data=form | fields)


def test_without_signing_in_every_page_leads_to_signing_in(app: Any, gate: str) -> None:
    client = TestClient(app, follow_redirects=False)
    for method, path in routes(app):
        if (method, path) in OPEN:
            continue
        there = path.format_map(Anything(case_id="c1", gate=gate, queue="general"))
        done = client.request(method, there)
        refused = done.status_code == 401 or done.headers.get("location") == "/sign-in"
        assert refused, f"{method} {path} answered {done.status_code}"


def test_a_form_of_another_session_is_refused_everywhere(
    app: Any, signed_in: SignIn, engine: Engine, gate: str
) -> None:
    client, before = signed_in("ana"), actions(engine, gate)
    for method, path in routes(app):
        if method != "POST" or (method, path) in OPEN:
            continue
        there = path.format_map(Anything(case_id=case_of(engine, gate), gate=gate))
        # A session counts for nothing in the API, where no form is asked for its token.
        refused = 401 if path.startswith("/api/") else 403
        assert client.post(there, data={"csrf": "0" * 64}).status_code == refused, path
        assert client.post(there).status_code == refused, path
    assert actions(engine, gate) == before


@pytest.mark.parametrize(
    ("person", "home", "case", "story", "legal"),
    [
        ("ana", 200, 200, 403, 404),
        ("ben", 200, 200, 403, 404),
        ("cleo", 200, 404, 403, 404),
        ("lea", 200, 404, 403, 200),
        ("aud", 200, 200, 200, 404),
        ("adm", 200, 404, 403, 404),
        ("led", 200, 200, 200, 200),
    ],
)
def test_each_role_sees_what_it_may(
    signed_in: SignIn,
    engine: Engine,
    gate: str,
    person: str,
    home: int,
    case: int,
    story: int,
    legal: int,
) -> None:
    with transaction(engine) as session:
        for who, role in (("adm", "admin"), ("led", "lead")):
            add_person(session, who, name=who, roles=[role], queues=["*"], by=BY, now=NOW)
    client, case_id = signed_in(person), case_of(engine, gate)
    asked = ("/", f"/cases/{case_id}", f"/cases/{case_id}/story", "/queues/legal")
    assert [client.get(path).status_code for path in asked] == [home, case, story, legal]


def test_a_case_of_others_and_no_case_look_the_same(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    client, case_id = signed_in("lea"), case_of(engine, gate)
    hidden, missing = client.get(f"/cases/{case_id}"), client.get("/cases/c0000")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace(case_id, "ID") == missing.text.replace("c0000", "ID")
    assert "case.viewed" not in actions(engine, gate)


def test_a_password_begins_a_session_and_signing_out_ends_it(
    app: Any, engine: Engine, now: datetime
) -> None:
    with transaction(engine) as session:
        set_password(session, "ana", PASSWORD, BY, now)
    client = TestClient(app, follow_redirects=False)
    wrong = client.post("/sign-in", data={"person": "ana", "password": "wrong"})
    assert 'value="ana"' in wrong.text
    assert (wrong.status_code, COOKIE in client.cookies) == (401, False)
    right = client.post("/sign-in", data={"person": "ana", "password": PASSWORD})
    assert right.headers["location"] == "/"
    assert "HttpOnly" in right.headers["set-cookie"]
    assert client.get("/").status_code == 200
    kept = client.cookies[COOKIE]
    client.post("/sign-out", data={"csrf": csrf_token(kept)})
    client.cookies.set(COOKIE, kept)
    assert client.get("/").headers["location"] == "/sign-in", "in the store too"


def test_a_link_asks_for_a_click_and_works_once(app: Any, engine: Engine, now: datetime) -> None:
    with transaction(engine) as session:
        link = f"/sign-in/{make_link(session, 'ana', BY, now)}"
    client = TestClient(app, follow_redirects=False)
    assert client.get(link).status_code == 200, "a mail scanner may look"
    assert client.post(link).headers["location"] == "/"
    assert TestClient(app, follow_redirects=False).post(link).status_code == 401


def test_a_form_from_another_site_signs_nobody_in(app: Any, engine: Engine, now: datetime) -> None:
    with transaction(engine) as session:
        set_password(session, "ana", PASSWORD, BY, now)
    client = TestClient(app, headers={"Sec-Fetch-Site": "cross-site"})
    client.post("/sign-in", data={"person": "ana", "password": PASSWORD})
    assert COOKIE not in client.cookies


def test_who_loses_activity_is_out_at_once(signed_in: SignIn, engine: Engine) -> None:
    client = signed_in("ana")
    with transaction(engine) as session:
        change_person(session, "ana", active=False, by=BY, now=NOW)
    assert client.get("/").headers["location"] == "/sign-in"


def test_every_answer_carries_the_headers(app: Any, signed_in: SignIn) -> None:
    for done in (
        signed_in("ana").get("/"),
        TestClient(app).get("/sign-in"),
        TestClient(app).get("/nowhere"),
        TestClient(app).get("/api/v1/me"),
        TestClient(app).get("/static/console.css"),
    ):
        assert all(done.headers[name] == value for name, value in HEADERS.items())
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_no_page_holds_a_script_or_a_style_of_its_own(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    client = signed_in("ana")
    for path in ("/", "/queues/general", f"/cases/{case_of(engine, gate)}"):
        page = client.get(path).text
        assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|style=|javascript:", page) == []


def test_the_next_case_is_the_worst_one_that_one_may_still_answer(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    worst = waiting_case(engine, "T-2", severity="P0")
    client = signed_in("ana")
    there = client.post("/next", data={"csrf": csrf(client)})
    assert there.headers["location"] == f"/cases/{case_of(engine, worst)}"
    answer(client, worst, evidence=evidence_of("T-2"))
    there = client.post("/next", data={"csrf": csrf(client)})
    assert there.headers["location"] == f"/cases/{case_of(engine, gate)}"
    answer(client, gate)
    there = client.post("/next", data={"csrf": csrf(client)})
    assert there.headers["location"] == "/?done=all"


def test_looking_is_in_the_history_and_so_is_who(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    page = signed_in("ana").get(f"/cases/{case_of(engine, gate)}").text
    assert "body of T-1" in page
    with reading(engine) as session:
        last = entries_of(session, case_of(engine, gate))[-1]
    assert (last.action, last.actor) == ("case.viewed", "ana")


def test_an_answer_is_committed_and_the_run_is_woken(
    signed_in: SignIn, engine: Engine, gate: str, prefect: Prefect
) -> None:
    with transaction(engine) as session:
        assign_run(session, gate, "0199", BY, NOW)
    done = answer(signed_in("ana"), gate)
    assert done.headers["location"].endswith("?done=decided")
    assert prefect.woken == ["0199"]
    assert "gate.decided" in actions(engine, gate)


def test_an_answer_is_taken_while_prefect_is_down(
    signed_in: SignIn, engine: Engine, gate: str, prefect: Prefect
) -> None:
    with transaction(engine) as session:
        assign_run(session, gate, "0199", BY, NOW)
    prefect.answers = False
    done = answer(signed_in("ana"), gate)
    ana = signed_in("ana")
    assert "carried out when" in ana.get(done.headers["location"]).text
    assert "gate.decided" in actions(engine, gate)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    page = ana.get(done.headers["location"]).text
    assert "carried out when" not in page, "loaded again, it says what is so then"
    assert "Decided. The case goes on." in page


def test_who_decides_does_not_wait_for_a_prefect_that_hangs(
    engine: Engine, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wake(run_id: str) -> bool:
        await asyncio.sleep(5)
        return True

    monkeypatch.setattr(doing, "WAKE_SECONDS", 0.01)
    with transaction(engine) as session:
        assign_run(session, gate, "0199", BY, NOW)
        secret = open_session(session, "ana", BY, NOW)
    app = create_app(console_of(engine, lambda: NOW, wake))
    client = TestClient(app, cookies={COOKIE: secret}, follow_redirects=False)
    began = time.monotonic()
    assert answer(client, gate).headers["location"].endswith("later")
    assert time.monotonic() - began < 5
    assert "gate.decided" in actions(engine, gate)


def test_a_case_says_that_prefect_is_down_and_links_its_run_where_it_is_up(
    engine: Engine, gate: str
) -> None:
    with transaction(engine) as session:
        assign_run(session, gate, "0199", BY, NOW)
        secret = open_session(session, "ana", BY, NOW)
    found = ports.Prefect(True, "http://prefect/runs/flow-run/{run}")
    app = create_app(console_of(engine, lambda: NOW, prefect=lambda: found))
    client = TestClient(app, cookies={COOKIE: secret})
    page = client.get(f"/cases/{case_of(engine, gate)}").text
    assert "http://prefect/runs/flow-run/0199" in page
    assert "Prefect does not answer" not in page
    found = ports.Prefect(False, found.run_page)
    page = client.get(f"/cases/{case_of(engine, gate)}").text
    assert "Prefect does not answer" in page
    assert 'id="answer"' in page


@pytest.mark.parametrize(
    ("up", "said"), [(True, "not carried out yet"), (False, "carried out when it is back")]
)
def test_a_case_says_what_was_decided_until_it_is_carried_out(
    engine: Engine, gate: str, up: bool, said: str
) -> None:
    answer_gate(engine, gate, "ben", given(action="suspend"), now=NOW)
    with transaction(engine) as session:
        secret = open_session(session, "ana", BY, NOW)
    app = create_app(console_of(engine, lambda: NOW, prefect=lambda: ports.Prefect(up)))
    client = TestClient(app, cookies={COOKIE: secret})
    page = client.get(f"/cases/{case_of(engine, gate)}").text
    assert "Decided: <strong>suspend</strong>. It is not carried out yet" in page
    assert said in page
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    page = client.get(f"/cases/{case_of(engine, gate)}").text
    assert "not carried out yet" not in page
    assert "Prefect does not answer" not in page


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"evidence": "0" * 64}, "look again"),
        ({"rationale": ""}, "rationale"),
        ({"verdict": "escalate", "escalate_to": "nowhere"}, "escalates to"),
        ({"action": "ban"}, "allows"),
        ({"verdict": ""}, "verdict"),
    ],
)
def test_a_refused_answer_says_why_and_keeps_what_was_written(
    signed_in: SignIn, engine: Engine, gate: str, fields: dict[str, str], why: str
) -> None:
    done = answer(signed_in("ana"), gate, **{"rationale": "a long reason", **fields})
    assert done.status_code in (403, 409)
    assert why in done.text
    assert "rationale" in fields or "a long reason" in done.text
    assert "gate.denied" in actions(engine, gate)
    assert "gate.decided" not in actions(engine, gate)


def test_what_was_written_is_given_back_where_the_session_has_ended(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    ana = signed_in("ana")
    with transaction(engine) as session:
        change_person(session, "ana", active=False, by=BY, now=NOW)
    refused = answer(ana, gate, rationale="<b>read word for word</b>")
    assert refused.status_code == 401
    assert "&lt;b&gt;read word for word&lt;/b&gt;</textarea>" in refused.text
    assert 'href="/sign-in"' in refused.text
    ana.headers["sec-fetch-site"] = "cross-site"
    assert "word for word" not in answer(ana, gate, rationale="read word for word").text


def test_the_story_says_where_a_case_was_escalated_to(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    to_legal = {"verdict": "escalate", "action": "", "escalate_to": "legal"}
    assert answer(signed_in("ana"), gate, **to_legal).status_code == 303
    told = signed_in("aud").get(f"/cases/{case_of(engine, gate)}/story").text
    assert "<td>escalate</td><td>to legal</td>" in told
    assert f'href="/audit/cases/{case_of(engine, gate)}/export"' in told


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nowhere", 404, "There is no such page"),
        ("/gates/g1/answer", 405, "This is where a form goes"),
        ("/cases/c1?done=nonsense", 422, "This cannot be read: done"),
    ],
)
def test_an_address_that_is_none_is_told_on_a_page(
    signed_in: SignIn, path: str, status: int, says: str
) -> None:
    told = signed_in("ana").get(path)
    assert told.status_code == status
    assert told.headers["content-type"].startswith("text/html")
    assert f"<h1>{says}" in told.text
    assert (told.headers.get("allow") == "POST") is (status == 405)


def test_who_has_no_queue_is_told_what_there_is_and_keys_that_do_something(
    signed_in: SignIn, engine: Engine
) -> None:
    with transaction(engine) as session:
        add_person(session, "adm", name="Adm", roles=["admin"], queues=["*"], by=BY, now=NOW)
    for person, audits in (("aud", True), ("adm", False)):
        home = signed_in(person).get("/").text
        assert "You work in no queue." in home
        assert ('<a href="/audit">history</a>' in home) is audits
        assert "next case" not in home


def test_two_people_decide_where_two_are_needed(signed_in: SignIn, engine: Engine) -> None:
    gate = waiting_case(engine, "T-1", queue="legal")
    first, second = signed_in("lea"), signed_in("leo")
    assert answer(first, gate).headers["location"].endswith("?done=more")
    page = second.get(f"/cases/{case_of(engine, gate)}").text
    assert "people must approve the same" in page
    assert answer(first, gate).status_code == 409, "nobody counts twice"
    assert "gate.decided" not in actions(engine, gate)
    answer(second, gate)
    assert "gate.decided" in actions(engine, gate)


def test_a_strangers_text_stays_text(signed_in: SignIn, engine: Engine) -> None:
    nasty = "<script>alert(1)</script>\u202egnp"
    gate = waiting_case(engine, nasty)
    page = signed_in("ana").get(f"/cases/{case_of(engine, gate)}").text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "⟨U+202E⟩" in page


def test_finding_goes_by_case_gate_and_source(signed_in: SignIn, engine: Engine, gate: str) -> None:
    client, case_id = signed_in("ana"), case_of(engine, gate)
    for reference in (case_id, gate, "test:T-1", f" {case_id} "):
        there = client.get("/find", params={"reference": reference}).headers["location"]
        assert there == f"/cases/{case_id}"
    stranger = signed_in("lea")
    for reference in (case_id, gate, "test:T-1", "c0"):
        missing = stranger.get("/find", params={"reference": reference})
        assert (missing.status_code, f"no case {reference} among" in missing.text) == (404, True)


def test_a_long_queue_comes_in_pages_and_leaves_nothing_out(
    signed_in: SignIn, engine: Engine
) -> None:
    made = {waiting_case(engine, f"T-{n}", severity=f"P{n % 3}") for n in range(105)}
    client, path, seen = signed_in("ana"), "/queues/general", []
    while path:
        page = client.get(path).text
        seen += re.findall(r'class="row" href="/cases/([^"]+)"', page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == sorted(case_of(engine, gate) for gate in made)
