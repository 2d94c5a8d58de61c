"""Who has a case: what the pages show of it, and what they let be done."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.console.app import create_app
from casework.store.engine import reading, transaction
from casework.store.people import add_person, change_person
from casework.store.tables import Assignment
from tests.casework.console.asking import actions, case_of, post
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.escalation import assignment_at, timed_bundle, timed_case
from tests.factories.gates import BY, NOW


@pytest.fixture
def moments() -> list[datetime]:
    """The time, as its last entry."""
    return [NOW]


@pytest.fixture
def app(engine: Engine, prefect: Prefect, moments: list[datetime]) -> Any:
    """A console whose clock goes on when a test says so."""
    surroundings = console_of(engine, lambda: moments[-1], prefect.wake, bundle=timed_bundle())
    return create_app(surroundings)


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A store with a lead among the people."""
    with transaction(engine) as session:
        add_person(session, "lou", name="lou", roles=["lead"], queues=["*"], by=BY, now=NOW)
    return engine


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case with clocks that run."""
    return timed_case(engine, severity="P2")


def holder(engine: Engine, gate: str) -> str | None:
    return assignment_at(engine, gate).holder


def test_the_next_case_is_claimed_and_so_not_the_next_of_another(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    other = timed_case(engine, "T-2", severity="P3")
    for who, expected in (("ana", gate), ("ben", other), ("ana", gate)):
        there = post(signed_in(who), "/next").headers["location"]
        assert there == f"/cases/{case_of(engine, expected)}"
        assert holder(engine, expected) == who


def test_looking_claims_nothing(signed_in: SignIn, engine: Engine, gate: str) -> None:
    client, case = signed_in("ana"), case_of(engine, gate)
    for path in ("/", "/queues/general", f"/cases/{case}", f"/find?reference={case}"):
        client.get(path)
    for verb in ("claim", "renew", "release", "hold", "resume", "hand-over"):
        assert client.get(f"/gates/{gate}/{verb}").status_code == 405
    with reading(engine) as session:
        assert session.get(Assignment, gate) is None


def test_a_claim_of_what_another_has_is_refused_and_says_who(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    post(signed_in("ana"), f"/gates/{gate}/claim")
    refused = post(signed_in("ben"), f"/gates/{gate}/claim")
    assert refused.status_code == 409
    assert "ana has this gate" in refused.text
    assert 'id="answer"' not in refused.text, "it is ana who answers"
    assert ">ana</td>" in signed_in("ben").get("/queues/general").text.replace(" </td>", "</td>")


def test_a_lead_takes_over(signed_in: SignIn, engine: Engine, gate: str) -> None:
    post(signed_in("ana"), f"/gates/{gate}/claim")
    lead = signed_in("lou")
    assert "Take it over" in lead.get(f"/cases/{case_of(engine, gate)}").text
    post(lead, f"/gates/{gate}/claim", take_over="true")
    assert holder(engine, gate) == "lou"


def test_a_claim_is_renewed_while_one_has_it_and_not_taken_back_after(
    signed_in: SignIn, engine: Engine, gate: str, moments: list[datetime]
) -> None:
    client = signed_in("ana")
    post(client, f"/gates/{gate}/claim")
    moments.append(NOW + timedelta(minutes=20))
    assert post(client, f"/gates/{gate}/renew").status_code == 204
    assert assignment_at(engine, gate).lease_until == NOW + timedelta(minutes=50)
    post(client, f"/gates/{gate}/release")
    assert post(client, f"/gates/{gate}/renew").status_code == 409
    assert holder(engine, gate) is None


def test_a_hold_stops_the_clocks_in_words_and_ends(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    client, case = signed_in("ana"), case_of(engine, gate)
    post(client, f"/gates/{gate}/claim")
    page = client.get(f"/cases/{case}").text
    assert "decision: 4 h left" in page
    done = post(client, f"/gates/{gate}/hold", reason="reporter", follow_up="2026-03-03T09:00")
    page = client.get(done.headers["location"]).text
    assert "On hold for the reporter" in page
    assert "decision: stands still for the reporter" in page
    post(client, f"/gates/{gate}/resume")
    assert "decision: 4 h left" in client.get(f"/cases/{case}").text
    assert {"gate.held", "gate.resumed"} <= set(actions(engine, gate))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": "reporter", "follow_up": "2026-03-01T09:00"}, "still to come"),
        ({"reason": "reporter", "follow_up": "tomorrow"}, "date and time"),
        ({"reason": "lunch", "follow_up": "2026-03-03T09:00"}, "one of"),
    ],
)
def test_a_hold_needs_a_reason_and_a_date(
    signed_in: SignIn, engine: Engine, gate: str, fields: dict[str, str], why: str
) -> None:
    client = signed_in("ana")
    post(client, f"/gates/{gate}/claim")
    refused = post(client, f"/gates/{gate}/hold", **fields)
    assert refused.status_code in (403, 422)
    assert why in refused.text
    assert assignment_at(engine, gate).hold_reason is None


def test_what_is_handed_over_stays_readable_to_its_owner_and_comes_back(
    signed_in: SignIn, engine: Engine
) -> None:
    with transaction(engine) as session:
        change_person(session, "ana", queues=["general"], by=BY, now=NOW)
    gate = timed_case(engine, "T-3", severity="P2")
    ana, lea = signed_in("ana"), signed_in("lea")
    post(ana, f"/gates/{gate}/claim")
    refused = post(ana, f"/gates/{gate}/hand-over", queue="mixed")
    assert (refused.status_code, "it may go to: legal" in refused.text) == (403, True)
    done = post(ana, f"/gates/{gate}/hand-over", queue="legal")
    assert ana.get(done.headers["location"]).status_code == 200
    post(lea, f"/gates/{gate}/claim")
    post(lea, f"/gates/{gate}/hand-over", queue="general")
    assert holder(engine, gate) == "ana"


def test_a_list_says_what_is_due_soon_and_what_is_overdue(
    signed_in: SignIn, engine: Engine
) -> None:
    for external_id, hours in (("T-4", 3), ("T-5", 6)):
        timed_case(engine, external_id, severity="P2", opened_at=NOW - timedelta(hours=hours))
    client = signed_in("ana")
    home, page = client.get("/").text, client.get("/queues/general").text
    assert all(text in home for text in ("1 due within 2 h", "1 overdue"))
    assert all(text in page for text in ("1 h left", "overdue by 2 h"))


def test_a_list_is_in_the_order_in_which_cases_come_up(signed_in: SignIn, engine: Engine) -> None:
    late = timed_case(engine, "T-5", severity="P2", opened_at=NOW - timedelta(hours=1))
    worst, last = (timed_case(engine, f"T-{n}", severity=f"P{n}") for n in (0, 3))
    page = signed_in("ana").get("/queues/general").text
    places = [page.index(case_of(engine, gate)) for gate in (worst, late, last)]
    assert places == sorted(places)


def test_a_gate_of_others_cannot_be_told_from_none(signed_in: SignIn, gate: str) -> None:
    client = signed_in("lea")
    for verb in ("claim", "renew", "release", "hold", "resume", "hand-over"):
        hidden, missing = (post(client, f"/gates/{each}/{verb}") for each in (gate, "g0"))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(gate, "g0") == missing.text
