"""What the API keeps from people: restricted cases, and those they may have to review blind."""

from typing import Any

import pytest
from sqlalchemy import Engine

from casework.cases import Severity
from casework.store.engine import transaction
from casework.store.incidents.cases import attach_cases
from casework.store.incidents.lifecycle import Opening, open_incident
from casework.store.qa import blinding
from casework.store.restrictions import restrict
from tests.casework.console.api.conftest import ROLES, Program
from tests.casework.console.api.test_api import ANSWER
from tests.casework.console.api.test_roles import operations
from tests.casework.console.asking import Anything, actions, case_of
from tests.factories.escalation import person
from tests.factories.gates import NOW as BEGINS

#: Bodies with which an operation is asked for rightly.
BODIES: dict[str, dict[str, Any]] = {
    "answer": ANSWER,
    "assign": {"person": "one_senior"},
    "hold": {"reason": "partner", "follow_up_at": "2026-04-01T09:00:00Z"},
    "hand-over": {"queue": "legal"},
    "reverse": {"reason": "The report was mistaken."},
}


@pytest.mark.parametrize("who", sorted(ROLES))
def test_every_operation_answers_as_for_a_case_that_does_not_exist(
    app: Any, program: Program, engine: Engine, gate: str, who: str
) -> None:
    case, client = case_of(engine, gate), program(who)
    with transaction(engine) as session:
        restrict(session, case, ["ben"], "it is about one of us", person("one_lead"), BEGINS)
        restrict(session, case, ["ben"], "lead out", person("one_lead"), BEGINS, operating=True)
    before, asked = actions(engine, gate), 0
    for operation in operations(app):
        method, path = operation.split(" ")
        if "{case}" not in path and not path.startswith("/gates/{gate}"):
            continue
        body = BODIES.get(path.rsplit("/", 1)[-1], {}) if method == "POST" else None
        real, none = (
            client.request(method, path.format_map(Anything(case=c, gate=g)), json=body)
            for c, g in ((case, gate), ("c0", "g0"))
        )
        same = real.text.replace(case, "c0").replace(gate, "g0")
        assert (real.status_code, same) == (none.status_code, none.text), operation
        assert real.status_code in (403, 404), operation
        asked += 1
    assert asked == 13
    assert actions(engine, gate) == before


def test_no_list_names_it_or_counts_it(program: Program, engine: Engine, gate: str) -> None:
    case, lead, auditor = case_of(engine, gate), program("one_lead"), program("one_auditor")
    with transaction(engine) as session:
        opening = Opening("k", "A leak", Severity.P1)
        incident = open_incident(session, opening, person("one_lead"), BEGINS).id
        attach_cases(session, incident, [case], person("one_lead"), BEGINS)
        restrict(
            session, case, ["ben"], "it is about one of us", person("x"), BEGINS, operating=True
        )
    lists = ("queues", "approvals", "clocks", "effects", "incidents", f"incidents/{incident}")
    for path in lists:
        answer = lead.get(f"/{path}")
        assert answer.status_code == 200
        assert case not in answer.text, path
        assert gate not in answer.text, path
    assert case not in auditor.get("/ledger/entries").text
    assert lead.get("/approvals").json()["items"] == lead.get("/queues").json() == []
    assert lead.post("/approvals/next").json()["gate"] is None


def test_what_is_to_be_reviewed_blind_is_not_shown(
    program: Program, engine: Engine, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of(engine, gate)
    # Who may have to review what is settled elsewhere; here, that the API asks.
    monkeypatch.setattr(blinding, "hidden_from", lambda session, who, cases: frozenset(cases))
    for path in (f"/cases/{case}", f"/cases/{case}/explanation", f"/cases/{case}/story"):
        refused = program("one_lead").get(path)
        assert (refused.status_code, refused.json()["reason"]) == (403, "blind"), path
    refused = program("one_auditor").get(f"/ledger/cases/{case}/export")
    assert (refused.status_code, refused.json()["reason"]) == (403, "blind")
