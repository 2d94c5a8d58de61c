"""Auditors' pages: searching, verifying and taking away the history."""

import re

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from casework.ledger.checkpoint import parse_verifier
from casework.ledger.export import verify_export
from casework.store.engine import transaction
from casework.store.people import add_person
from casework.store.sealing import seal
from tests.casework.console.asking import case_of, post
from tests.casework.console.conftest import SignIn
from tests.factories.gates import BY, NOW, waiting_case
from tests.factories.ledger import signer, tamper


@pytest.fixture
def auditor(signed_in: SignIn) -> TestClient:
    """An auditor, signed in."""
    return signed_in("aud")


def test_the_history_is_for_auditors_alone(
    signed_in: SignIn, auditor: TestClient, engine: Engine, gate: str
) -> None:
    with transaction(engine) as session:
        add_person(session, "led", name="led", roles=["lead"], queues=["*"], by=BY, now=NOW)
    export = f"/audit/cases/{case_of(engine, gate)}/export"
    for who in ("ana", "lea", "led"):
        assert signed_in(who).get("/audit").status_code == 403
        assert signed_in(who).get(export).status_code == 403
        assert post(signed_in(who), "/audit/verify").status_code == 403
    assert auditor.get("/audit").status_code == 200


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"action": "gate.opened"}, True),
        ({"action": "gate.decided"}, False),
        ({"actor": "casework:test"}, True),
        ({"actor": "nobody"}, False),
        ({"since": "2026-03-02T09:00", "until": "2026-03-02T10:00"}, True),
        ({"until": "2026-03-02T09:00"}, False),
        ({"chain": "system"}, False),
    ],
)
def test_entries_are_found_by_chain_actor_action_and_time(
    auditor: TestClient, engine: Engine, gate: str, asked: dict[str, str], found: bool
) -> None:
    page = auditor.get("/audit", params=asked)
    assert (case_of(engine, gate) in page.text) is found
    assert auditor.get("/audit", params={"since": "soon"}).status_code == 422


def test_older_entries_are_on_further_pages_and_none_is_left_out(
    auditor: TestClient, engine: Engine
) -> None:
    made = {case_of(engine, waiting_case(engine, f"T-{n}")) for n in range(120)}
    path, seen = "/audit?action=gate.opened", []
    while path:
        page = auditor.get(path).text
        seen += re.findall(r"/audit\?chain=(c[0-9a-f]+)", page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == sorted(made)


def test_verifying_shows_that_all_holds_and_what_does_not(
    auditor: TestClient, engine: Engine, gate: str
) -> None:
    seal(engine, signer(), NOW)
    assert "The history verifies." in post(auditor, "/audit/verify").text
    tamper(engine, "UPDATE ledger_entries SET actor = 'eve' WHERE action = 'gate.opened'")
    assert "does not verify" in post(auditor, "/audit/verify").text


def test_a_case_is_taken_away_with_proofs_that_stand_alone(
    auditor: TestClient, engine: Engine, gate: str
) -> None:
    path = f"/audit/cases/{case_of(engine, gate)}/export"
    assert auditor.get(path).status_code == 404, "nothing is sealed yet"
    seal(engine, signer(), NOW)
    done = auditor.get(path)
    assert "attachment" in done.headers["content-disposition"]
    key = parse_verifier(str(signer().verifier))
    report = verify_export(done.content.splitlines(keepends=True), key)
    assert report.case == case_of(engine, gate)
