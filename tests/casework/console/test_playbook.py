"""The playbook on a case's page: asked without a script, kept, and shown to whoever comes next."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.console.app import create_app
from casework.store.engine import transaction
from casework.store.people import add_person
from tests.casework.console.asking import actions, case_of, post
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.gates import BY, NOW, evidence_of
from tests.factories.playbooks import asking_bundle, asking_case


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case of a marked category whose playbook asks."""
    return asking_case(engine)


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """A console under the policy that asks."""
    return create_app(console_of(engine, lambda: now, prefect.wake, bundle=asking_bundle()))


def test_steps_come_up_one_after_another_and_keep_what_was_written(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    ana, case = signed_in("ana"), case_of(engine, gate)
    covered = ana.get(f"/cases/{case}").text
    assert "What is it?" in covered
    assert 'value="kind=threat"' not in covered, "read what came in first"
    page = post(ana, f"/cases/{case}/reveal").text
    assert 'value="kind=threat"' in page
    assert "Is life in danger now?" not in page
    written = {"verdict": "approve", "action": "suspend", "rationale": "half a sentence"}
    page = post(ana, f"/gates/{gate}/playbook", step="kind=threat", **written).text
    assert "Is life in danger now?" in page
    assert "half a sentence" in page
    assert "body of T-1" in page, "what was shown stays shown"
    page = post(ana, f"/gates/{gate}/playbook", step="danger=yes").text
    assert "escalating to <strong>legal</strong>" in page
    refused = post(ana, f"/gates/{gate}/playbook", step="danger=maybe")
    assert (refused.status_code, "no answer &#39;maybe&#39;" in refused.text) == (422, True)


def test_who_does_not_answer_a_covered_case_is_not_told_to_decide(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    ana, ben, case = signed_in("ana"), signed_in("ben"), case_of(engine, gate)
    assert "Read what came in before you decide." in ana.get(f"/cases/{case}").text
    post(ben, f"/gates/{gate}/claim")
    assert "ben has this case and answers it." in ana.get(f"/cases/{case}").text
    watched = signed_in("aud").get(f"/cases/{case}").text
    assert "This waits for people who work in" in watched
    assert "Read what came in before you decide." not in watched


def test_a_decision_says_what_is_missing_and_the_next_person_sees_what_was_answered(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    with transaction(engine) as session:
        add_person(session, "lou", name="lou", roles=["lead"], queues=["*"], by=BY, now=NOW)
    ana, ben, case = signed_in("ana"), signed_in("ben"), case_of(engine, gate)
    answer = {"verdict": "approve", "action": "suspend", "rationale": "read it"}
    answer["evidence"] = evidence_of("T-1")
    refused = post(ana, f"/gates/{gate}/answer", **answer)
    assert (refused.status_code, "not answered yet: What is it?" in refused.text) == (403, True)
    post(ana, f"/gates/{gate}/playbook", step="kind=figure")
    page = post(ben, f"/cases/{case}/reveal").text
    assert "ana, 2026-03-02" in page
    assert 'aria-pressed="true"' in page
    assert post(ana, f"/gates/{gate}/answer", **answer).headers["location"].endswith("later")
    assert actions(engine, gate).count("playbook.answered") == 1
    assert (
        "<td>kind</td><td>figure</td><td>ana</td>"
        in signed_in("lou").get(f"/cases/{case}/story").text
    )
