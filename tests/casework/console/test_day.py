"""Your day: what is counted, a budget that runs out, and how marked evidence is shown."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from casework.console.app import create_app
from casework.exposure import Budget
from casework.store.days import sights_of
from casework.store.engine import reading
from casework.store.indexes import ATTENDED
from tests.casework.console.asking import case_of, post
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.gates import NOW, evidence_of, waiting_case
from tests.factories.playbooks import asking_bundle, asking_case


@pytest.fixture
def moments() -> list[datetime]:
    """The time, as its last entry."""
    return [NOW]


@pytest.fixture
def app(engine: Engine, prefect: Prefect, moments: list[datetime]) -> Any:
    """A console whose policy lets somebody see two marked cases in a day."""
    bundle = replace(asking_bundle(), exposure=Budget(items=2, minutes=100))
    return create_app(console_of(engine, lambda: moments[-1], prefect.wake, bundle=bundle))


@pytest.fixture
def cases(engine: Engine) -> list[str]:
    """Three cases of a marked category."""
    return [case_of(engine, asking_case(engine, f"T-{number}")) for number in range(1, 4)]


def test_the_budget_nudges_then_suggests_a_pause_and_gives_other_work_first(
    signed_in: SignIn, engine: Engine, cases: list[str], moments: list[datetime]
) -> None:
    ana = signed_in("ana")
    assert "body of T-1" in post(ana, f"/cases/{cases[0]}/reveal").text
    assert "Take a pause" not in ana.get("/").text
    post(ana, f"/cases/{cases[1]}/reveal")
    assert "2 of 2 marked cases" in ana.get("/").text
    paused = post(ana, f"/cases/{cases[2]}/reveal").text
    assert "Time for a pause" in paused
    assert "body of T-3" not in paused
    assert "Time for a pause" in post(ana, "/next").text, "only hard work is left"
    other = case_of(engine, waiting_case(engine, "T-9", severity="P4", bundle=asking_bundle()))
    assert post(ana, "/next").headers["location"] == f"/cases/{other}"
    assert post(signed_in("ben"), "/next").headers["location"] == f"/cases/{cases[0]}"
    assert "body of T-3" in post(ana, f"/cases/{cases[2]}/reveal", anyway="true").text
    moments.append(NOW + timedelta(days=1))
    fresh = signed_in("ana")
    assert "Take a pause" not in fresh.get("/").text, "a new day"


def test_the_day_is_counted_from_the_history(
    signed_in: SignIn, engine: Engine, cases: list[str], moments: list[datetime]
) -> None:
    ana = signed_in("ana")
    post(ana, f"/cases/{cases[0]}/reveal")
    moments.append(NOW + timedelta(minutes=7))
    gate = "g" + cases[0][1:] + "-1-1"
    post(ana, f"/gates/{gate}/playbook", step="kind=figure")
    form = {"verdict": "refuse", "rationale": "read it", "evidence": evidence_of("T-1")}
    post(ana, f"/gates/{gate}/answer", **form)
    page = ana.get("/day").text
    assert '<p class="big">1</p>' in page
    assert '<p class="big">7 min</p>' in page
    assert "P2 1" in page
    assert "Threats: 1 decided" in page
    assert "1 of 2" in page
    with reading(engine) as session:
        assert {sight.case_id for sight in sights_of(session, "ana", NOW)} == {cases[0]}
        assert sights_of(session, "ben", NOW) == []


def test_marked_evidence_is_shown_as_its_viewer_prefers(
    signed_in: SignIn, engine: Engine, cases: list[str]
) -> None:
    ana = signed_in("ana")
    assert 'class="said greyscale"' in post(ana, f"/cases/{cases[0]}/reveal").text
    done = post(ana, "/day/preferences", blur="true")
    assert "Kept." in ana.get(done.headers["location"]).text
    assert 'class="said blur" tabindex="0"' in post(ana, f"/cases/{cases[0]}/reveal").text
    assert 'class="said greyscale"' in post(signed_in("ben"), f"/cases/{cases[0]}/reveal").text
    plain = case_of(engine, waiting_case(engine, "T-9", bundle=asking_bundle()))
    assert 'class="said "' in ana.get(f"/cases/{plain}").text, "it is not marked"


def test_the_look_at_a_day_needs_no_walk_over_the_history(engine: Engine) -> None:
    asked = f"SELECT id FROM ledger_entries WHERE {ATTENDED} AND actor = 'ana' AND at >= '2026'"
    with reading(engine) as session:
        plan = str(session.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all())
    assert "ledger_entries_attended" in plan
