"""Which role and which scope may ask for what: every operation is walked."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.gates import Role
from casework.store.engine import transaction
from casework.store.people import change_person
from casework.store.tables import Case
from tests.casework.console.api.conftest import Program
from tests.casework.console.api.test_api import ANSWER
from tests.casework.console.asking import Anything, actions, case_of, routes
from tests.factories.gates import BY, NOW, waiting_case
from tests.factories.tokens import bearer_of

WORK = {Role.ANALYST, Role.SENIOR, Role.LEAD, Role.QA, Role.PARTNER}
ALL = set(Role)

#: Operations by what they want: the scope, and the roles that may have any use of it.
NEEDS: dict[str, tuple[str, set[Role]]] = {
    "GET /queues": ("read", ALL),
    "GET /approvals": ("read", ALL),
    "GET /find": ("read", ALL),
    "GET /cases/{case}": ("read", ALL),
    "GET /cases/{case}/explanation": ("read", ALL),
    "GET /cases/{case}/story": ("read", {Role.LEAD, Role.AUDITOR}),
    "POST /cases/{case}/reverse": ("decide", WORK),
    "GET /reviews": ("read", WORK),
    "GET /reviews/{gate}": ("read", WORK),
    "POST /reviews/{gate}/answer": ("decide", WORK),
    "POST /approvals/next": ("decide", WORK),
    **{
        f"POST /gates/{{gate}}/{verb}": ("decide", WORK)
        for verb in (
            *("claim", "renew", "release", "assign", "hold", "resume", "hand-over", "answer"),
        )
    },
    "GET /clocks": ("lead", {Role.LEAD}),
    "GET /effects": ("lead", {Role.LEAD}),
    "POST /effects/{key}/retry": ("lead", {Role.LEAD}),
    "GET /quarantine": ("lead", {Role.LEAD}),
    "POST /quarantine/{row}/retry": ("lead", {Role.LEAD}),
    "POST /quarantine/{row}/discard": ("lead", {Role.LEAD}),
    "GET /incidents": ("lead", {Role.LEAD}),
    "GET /incidents/{incident}": ("lead", {Role.LEAD}),
    "POST /incidents": ("lead", {Role.LEAD}),
    **{
        f"POST /incidents/{{incident}}/{verb}": ("lead", {Role.LEAD})
        for verb in ("assume", "renounce", "notes", "updates", "move", "rate", "close")
    },
    "GET /policy": ("lead", {Role.LEAD}),
    "GET /ledger/entries": ("audit", {Role.AUDITOR}),
    "POST /ledger/verify": ("audit", {Role.AUDITOR}),
    "GET /ledger/cases/{case}/export": ("audit", {Role.AUDITOR}),
}
#: What any token may ask, and what needs none.
OTHERS = {"GET /me", "GET /openapi.json"}


def operations(app: Any) -> list[str]:
    found = [(m, p.removeprefix("/api/v1")) for m, p in routes(app) if p.startswith("/api/v1")]
    return [f"{method} {path}" for method, path in found]


def ask(client: TestClient, operation: str) -> int:
    method, path = operation.split(" ")
    done = client.request(method, path.format_map(Anything()))
    assert done.status_code < 500
    return done.status_code


def test_every_operation_says_what_it_needs(app: Any) -> None:
    assert set(operations(app)) == set(NEEDS) | OTHERS


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_refused_what_is_not_its_own(app: Any, program: Program, role: Role) -> None:
    client = program(f"one_{role}")
    allowed = {each for each in NEEDS if ask(client, each) != 403}
    assert allowed == {each for each, (_, roles) in NEEDS.items() if role in roles}


@pytest.mark.parametrize("scope", ["read", "decide", "lead", "audit"])
def test_a_token_is_refused_what_is_not_in_its_scopes(
    app: Any, program: Program, scope: str
) -> None:
    clients = [program("one_lead", scope), program("one_auditor", scope)]
    allowed = {each for each in NEEDS if any(ask(client, each) != 403 for client in clients)}
    assert allowed == {each for each, (wanted, _) in NEEDS.items() if wanted == scope}


def test_nobody_is_let_in_without_a_token_in_force(app: Any, engine: Engine) -> None:
    token = bearer_of(engine, "ana")["Authorization"]
    for wrong in ({}, {"Authorization": token + "x"}, {"Authorization": f"Basic {token[7:]}"}):
        client = TestClient(app, base_url="http://testserver/api/v1", headers=wrong)
        for operation in NEEDS:
            assert ask(client, operation) == 401, operation


def test_a_case_of_others_and_no_case_look_the_same_everywhere(
    program: Program, engine: Engine, gate: str
) -> None:
    client, case, waits = program("lea"), case_of(engine, gate), waiting_case(engine, "T-9")
    for path, known, unknown in (
        ("/cases/{}", case, "c0000"),
        ("/cases/{}/explanation", case, "c0000"),
        ("/find?reference={}", "test:T-1", "test:T-0"),
        ("/find?reference={}", gate, "g0000"),
    ):
        hidden, missing = client.get(path.format(known)), client.get(path.format(unknown))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(known, "") == missing.text.replace(unknown, "")
    for verb, body in (("claim", {}), ("answer", ANSWER)):
        hidden = client.post(f"/gates/{gate}/{verb}", json=body)
        missing = client.post(f"/gates/g0000/{verb}", json=body)
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(gate, "") == missing.text.replace("g0000", "")
    assert "case.viewed" not in actions(engine, gate)
    assert client.get("/queues").json() == []
    assert client.get("/approvals").json()["items"] == []
    assert waits not in client.get("/approvals").text
    assert client.get("/approvals?queue=general").status_code == 404


def test_nothing_of_the_queues_of_others_shows_through_where_one_may_look(
    program: Program, engine: Engine, gate: str
) -> None:
    theirs = waiting_case(engine, "T-9", queue="legal")
    with transaction(engine) as session:
        for each in (gate, theirs):
            session.get_one(Case, case_of(engine, each)).subject_id = "u-1"
        change_person(session, "ana", queues=["general"], by=BY, now=NOW)
    case = f"/cases/{case_of(engine, gate)}"
    assert program("ana").get(case).json()["past"] == []
    assert program("one_analyst").get(case).json()["past"] == [case_of(engine, theirs)]
    for cursor in (theirs, "g0000"):
        assert program("ana").get("/approvals", params={"cursor": cursor}).status_code == 404
    assert program("ana").get("/approvals", params={"cursor": gate}).json()["items"] == []
