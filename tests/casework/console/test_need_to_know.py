"""Restricted cases: for all but named people there is no such case, whatever is asked, and how."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.cases import Severity
from casework.store.engine import transaction
from casework.store.incidents.cases import attach_cases
from casework.store.incidents.lifecycle import Opening, open_incident
from casework.store.people import add_person
from casework.store.restrictions import restrict
from tests.casework.console.asking import Anything, actions, case_of, post, routes
from tests.casework.console.conftest import SignIn
from tests.factories.escalation import person, told
from tests.factories.gates import BY, NOW, evidence_of, waiting_case

#: Who may not know of the case: whatever their role, and whatever they might do otherwise.
OTHERS = ("ana", "led", "aud", "adm", "all")


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A store with leads, an administrator, and somebody who is everything."""
    everything = ["analyst", "senior", "lead", "qa", "auditor", "admin"]
    with transaction(engine) as session:
        for who, roles in (
            ("lou", ["lead"]),
            ("led", ["lead"]),
            ("adm", ["admin"]),
            ("all", everything),
        ):
            add_person(session, who, name=who, roles=roles, queues=["*"], by=BY, now=NOW)
    return engine


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case of an incident that the lead lou has kept to ben."""
    gate = waiting_case(engine, "T-1")
    case = case_of(engine, gate)
    with transaction(engine) as session:
        opening = Opening("k", "A leak", Severity.P1)
        incident = open_incident(session, opening, person("lou"), NOW).id
        attach_cases(session, incident, [case], person("lou"), NOW)
        restrict(session, case, ["ben"], "it is about one of us", person("lou"), NOW)
    return gate


def ask(client: TestClient, method: str, path: str, parts: dict[str, str]) -> tuple[int, str]:
    there = path.format_map(Anything(queue="general", **parts))
    fields = {"person": "ben", "reason": "because", "verdict": "refuse", "rationale": "because"}
    if method == "POST":
        done = post(client, there, evidence=evidence_of("T-1"), **fields)
    else:
        done = client.get(there)
    text = done.text
    for name in sorted(parts, key=lambda each: each != "gate"):
        text = text.replace(parts[name], name)
    return done.status_code, text


@pytest.mark.parametrize("who", OTHERS)
def test_every_route_answers_as_for_a_case_that_does_not_exist(
    app: Any, signed_in: SignIn, engine: Engine, gate: str, who: str
) -> None:
    client, case, before = signed_in(who), case_of(engine, gate), actions(engine, gate)
    pages = [(m, p) for m, p in routes(app) if not p.startswith("/api/")]
    about = [(m, p) for m, p in pages if "{case_id}" in p or "{gate}" in p]
    assert len(about) > 14
    for method, path in about:
        real = ask(client, method, path, {"case_id": case, "gate": gate})
        none = ask(client, method, path, {"case_id": "c0", "gate": "g0"})
        assert real == none, f"{method} {path}"
        assert real[0] in (403, 404), f"{method} {path}"
    assert actions(engine, gate) == before, "nor is anything done or noted"


@pytest.mark.parametrize("who", OTHERS)
def test_no_page_names_the_case_or_counts_it(
    app: Any, signed_in: SignIn, engine: Engine, gate: str, who: str
) -> None:
    waiting_case(engine, "T-2")
    client, case = signed_in(who), case_of(engine, gate)
    incident = client.get("/leads/incidents").text.partition("/leads/incidents/")[2].split('"')[0]
    pages = {path for method, path in routes(app) if method == "GET" and "{" not in path}
    pages |= {"/queues/general", f"/leads/incidents/{incident}", f"/audit?chain={case}"}
    pages |= {f"/find?reference={name}" for name in ("test:T-1", "c0")}
    for path in sorted(pages - {"/events"}):
        text = (
            client.get(path).text.replace(f"/audit?chain={case}", "").replace(f'value="{case}"', "")
        )
        assert case not in text, path
        assert gate not in text, path
    waits = client.get("/").text
    assert "P2 2" not in waits, "of the two cases one counts"


def test_who_is_let_in_works_on_it_as_ever(signed_in: SignIn, engine: Engine, gate: str) -> None:
    ben, case = signed_in("ben"), case_of(engine, gate)
    assert "Only ben, lou may know" in ben.get(f"/cases/{case}").text
    assert case in ben.get("/queues/general").text
    assert ben.get(f"/find?reference={gate}").status_code == 303
    assert post(ben, "/next").headers["location"] == f"/cases/{case}"
    form = {"verdict": "refuse", "rationale": "because", "evidence": evidence_of("T-1")}
    assert post(ben, f"/gates/{gate}/answer", **form).status_code == 303
    assert "gate.decided" in actions(engine, gate)


def test_next_passes_it_over(signed_in: SignIn, engine: Engine, gate: str, now: datetime) -> None:
    other = waiting_case(engine, "T-2", severity="P4")
    there = post(signed_in("ana"), "/next").headers["location"]
    assert there == f"/cases/{case_of(engine, other)}"


def test_a_lead_keeps_a_case_to_people_lets_others_in_and_lifts_it(
    signed_in: SignIn, engine: Engine
) -> None:
    gate = waiting_case(engine, "T-3")
    case, lou, ana = case_of(engine, gate), signed_in("lou"), signed_in("ana")
    assert post(ana, f"/cases/{case}/restrict", person="ana", reason="mine").status_code == 403
    assert post(lou, f"/cases/{case}/restrict", person="ben").status_code == 422, "no reason"
    post(lou, f"/cases/{case}/restrict", person="ben", reason="it is about one of us")
    assert ana.get(f"/cases/{case}").status_code == 404
    refused = post(lou, f"/gates/{gate}/assign", person="ana")
    assert "ana may not know of this case" in refused.text
    post(lou, f"/cases/{case}/restrict", person="ana", reason="ana after all")
    assert ana.get(f"/cases/{case}").status_code == 200
    assert signed_in("ben").get(f"/cases/{case}").status_code == 404
    post(lou, f"/cases/{case}/unrestrict")
    assert signed_in("ben").get(f"/cases/{case}").status_code == 200
    grants = [
        (data.get("granted"), data.get("withdrawn"))
        for action, data in told(engine, gate)
        if action.startswith("case.") and "restricted" in action
    ]
    assert grants == [(["ben", "lou"], []), (["ana"], ["ben"]), (None, ["ana", "lou"])]
