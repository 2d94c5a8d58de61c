"""Giving cases to named people, and looking ahead at what an answer sends."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.console.app import create_app
from casework.store.carrying import carry_out
from casework.store.engine import reading, transaction
from casework.store.outbox import list_effects
from casework.store.people import add_person, change_person
from casework.store.restrictions import restrict
from tests.casework.console.asking import actions, case_of, csrf, post
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.effects import leaving_bundle
from tests.factories.escalation import assignment_at, timed_case
from tests.factories.gates import BY, NOW, answer, next_gate, waiting_case


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A store with a lead among the people."""
    with transaction(engine) as session:
        add_person(session, "lou", name="Lou", roles=["lead"], queues=["*"], by=BY, now=NOW)
    return engine


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case whose actions send texts."""
    return waiting_case(engine, "T-1", bundle=leaving_bundle())


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """A console under the policy that has destinations."""
    return create_app(console_of(engine, lambda: now, prefect.wake, bundle=leaving_bundle()))


def test_a_lead_gives_a_case_to_somebody_from_its_page(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    lead, case = signed_in("lou"), case_of(engine, gate)
    assert f'href="/gates/{gate}/assign"' in lead.get(f"/cases/{case}").text
    page = lead.get(f"/gates/{gate}/assign").text
    assert '<option value="ben"' in page
    assert '<option value="lea"' not in page, "she does not answer in this queue"
    done = post(lead, f"/gates/{gate}/assign", person="ben")
    assert "Given to the person" in lead.get(done.headers["location"]).text
    assert assignment_at(engine, gate).holder == "ben"
    assert "gate.assigned" in actions(engine, gate)


def test_who_neither_leads_nor_has_a_case_is_not_asked_and_may_not(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    ana = signed_in("ana")
    assert "Give it to somebody" not in ana.get(f"/cases/{case_of(engine, gate)}").text
    assert ana.get(f"/gates/{gate}/assign").status_code == 403
    assert post(ana, f"/gates/{gate}/assign", person="ben").status_code == 403
    post(ana, f"/gates/{gate}/claim")
    assert '<option value="ben"' in ana.get(f"/gates/{gate}/assign").text
    assert "Give it to somebody" in ana.get(f"/cases/{case_of(engine, gate)}").text
    assert post(ana, f"/gates/{gate}/assign", person="lea").status_code == 403, "not her queue"
    post(ana, f"/gates/{gate}/assign", person="ben")
    assert assignment_at(engine, gate).holder == "ben"


def test_a_lead_gives_many_from_a_queue_and_each_refusal_says_why(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    other = waiting_case(engine, "T-2", bundle=leaving_bundle())
    lead = signed_in("lou")
    assert 'type="checkbox"' not in signed_in("ana").get("/queues/general").text
    data = {"gate": [gate, other, "g0"], "person": "ben"}
    done = lead.post("/queues/general/assign", data={"csrf": csrf(lead), **data})
    assert "2 given to ben" in done.text
    assert "there is no gate g0 among yours" in done.text
    assert [assignment_at(engine, each).holder for each in (gate, other)] == ["ben", "ben"]
    with transaction(engine) as session:
        change_person(session, "ben", active=False, by=BY, now=NOW)
    done = lead.post("/queues/general/assign", data={"csrf": csrf(lead), **data})
    assert "ben is no longer active" in done.text
    assert actions(engine, gate)[-1] == "gate.denied"


def test_a_lead_gives_from_the_clocks_and_each_refusal_says_why(
    signed_in: SignIn, engine: Engine
) -> None:
    known, hidden = (timed_case(engine, f"T-{n}", severity="P2") for n in (1, 2))
    with transaction(engine) as session:
        restrict(
            session, case_of(engine, hidden), ["ben"], "about one of us", BY, NOW, operating=True
        )
    lead = signed_in("lou")
    page = lead.get("/leads/clocks?show=soon").text
    assert 'action="/leads/clocks/assign?show=soon"' in page
    assert f'name="gate" value="{known}"' in page
    assert hidden not in page
    data = {"csrf": csrf(lead), "gate": [known, known, hidden], "person": "ben"}
    done = lead.post("/leads/clocks/assign?show=soon", data=data)
    assert "1 given to ben" in done.text, "a gate has many clocks and is given once"
    assert f"{hidden}: there is no gate {hidden} among yours" in done.text
    assert actions(engine, known).count("gate.assigned") == 1
    assert "gate.assigned" not in actions(engine, hidden)
    nothing = lead.post("/leads/clocks/assign", data={"csrf": csrf(lead), "person": "ben"})
    assert "Nothing was ticked." in nothing.text
    ana = signed_in("ana")
    refused = ana.post("/leads/clocks/assign", data={**data, "csrf": csrf(ana)})
    assert refused.status_code == 403


def test_what_goes_out_is_shown_and_nothing_is_sent(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    form = {"verdict": "approve", "action": "warn", "clause": "C1", "rationale": "half a sent"}
    page = post(signed_in("ana"), f"/gates/{gate}/preview", **form).text
    assert "Please read Be civil." in page
    assert "half a sent" in page, "what was written is kept"
    assert "gate.answered" not in actions(engine, gate)
    with reading(engine) as session:
        assert list_effects(session) == []
    refused = post(signed_in("ana"), f"/gates/{gate}/preview", verdict="refuse").text
    assert "Nothing goes out." in refused
    assert post(signed_in("lea"), f"/gates/{gate}/preview", **form).status_code == 404


@pytest.mark.parametrize(("action", "people"), [("warn", 1), ("ban", 2)])
def test_what_needs_two_people_is_said_to_go_out_after_the_second(
    signed_in: SignIn, gate: str, action: str, people: int
) -> None:
    page = post(signed_in("ana"), f"/gates/{gate}/preview", verdict="approve", action=action).text
    assert "<strong>reply</strong> to desk" in page
    assert ("once the last of 2 people has approved" in page) is (people == 2)


def test_what_an_answer_would_cancel_unsent_is_said_in_words(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    answer_gate(engine, gate, "ben", answer(action="suspend"), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)
    following = next_gate(engine, gate)
    form = {"verdict": "approve", "action": "no_action"}
    page = post(signed_in("ana"), f"/gates/{following}/preview", **form).text
    assert "Nothing goes out." in page
    assert "<strong>act</strong> to platform, part of the earlier “Suspend”" in page
    assert "<strong>reverse</strong> to platform, the end of the earlier “Suspend”" in page
    with reading(engine) as session:
        assert {row.status for row in list_effects(session)} == {"waiting"}
