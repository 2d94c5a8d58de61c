"""Plans of quality assurance in the console: what they would draw, and drawing it."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.console.app import create_app
from casework.qa.summaries import preview_document
from casework.store.engine import reading, transaction
from casework.store.people import add_person
from casework.store.qa.drawing import midnight, plan_of, preview_plan
from casework.store.qa.rounds import rounds
from tests.casework.console.asking import post
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.qa import BY, LATER, decided, qa_bundle, staffed


@pytest.fixture
def now() -> datetime:
    """After the window has ended."""
    return LATER


@pytest.fixture
def engine(bare_engine: Engine) -> Engine:
    """Decisions of machine and people, a lead of all queues and one of a single one."""
    staffed(bare_engine)
    decided(bare_engine, machine=8, people=["ana", "ben"])
    with transaction(bare_engine) as session:
        for who, queues in (("led", ["*"]), ("gen", ["mixed"])):
            add_person(session, who, name=who, roles=["lead"], queues=queues, by=BY, now=LATER)
    return bare_engine


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """A console under the policy that has the plans."""
    return create_app(console_of(engine, lambda: now, prefect.wake, bundle=qa_bundle()))


@pytest.mark.parametrize("plan", sorted(qa_bundle().qa))
def test_a_preview_shows_what_the_command_line_prints(
    signed_in: SignIn, engine: Engine, plan: str
) -> None:
    bundle = qa_bundle()
    found = preview_plan(engine, bundle, plan, midnight(LATER), LATER, margin=0.03, confidence=0.9)
    document = preview_document(found, plan_of(bundle, plan), 0.03)
    page = signed_in("led").get(f"/leads/plans/{plan}?margin=3&confidence=90").text
    assert f"{found.sampled} of {found.population} decisions" in page
    assert f"{found.reviews} reviews, {document['hours']} hours" in page
    assert "confidence 90 %" in page
    for row in document["strata"]:
        assert f'data-label="Probability">{row["probability"]:.3f}<' in page


def test_a_lead_of_all_queues_draws_a_window_once(signed_in: SignIn, engine: Engine) -> None:
    client = signed_in("led")
    [first, again] = [post(client, "/leads/plans/twice/draw").headers["location"] for _ in "12"]
    assert first == again
    with reading(engine) as session:
        [made] = rounds(session)
    assert made.id in first
    assert made.drawn_by == "led"
    assert "Drawn: round" in client.get(first).text


def test_a_plan_is_drawn_by_nobody_who_is_not_in_all_its_queues(
    signed_in: SignIn, engine: Engine
) -> None:
    client = signed_in("gen")
    assert "Draw it" not in client.get("/leads/plans/twice").text
    assert post(client, "/leads/plans/twice/draw").status_code == 403
    assert signed_in("ana").get("/leads/plans/twice").status_code == 403
    assert client.get("/leads/plans/none").status_code == 404
    with reading(engine) as session:
        assert rounds(session) == []
