"""What was decided before, on the page of its case, and undoing it there."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.answering import answer_gate
from casework.console.app import create_app
from casework.store.carrying import carry_out
from casework.store.engine import transaction
from tests.casework.console.asking import case_of, post
from tests.casework.console.conftest import Prefect, SignIn
from tests.factories.consoles import console_of
from tests.factories.effects import leaving_bundle
from tests.factories.gates import BY, NOW, answer, waiting_case

WHY = "It calls for violence <b>against</b> one person."


@pytest.fixture
def app(engine: Engine, prefect: Prefect, now: datetime) -> Any:
    """A console under the policy whose actions can be undone."""
    return create_app(console_of(engine, lambda: now, prefect.wake, bundle=leaving_bundle()))


@pytest.fixture
def gate(engine: Engine) -> str:
    """A case that waits."""
    return waiting_case(engine, "T-1", bundle=leaving_bundle())


def decide(engine: Engine, gate: str, **more: Any) -> None:
    """Answer a gate as ana, and carry it out."""
    answer_gate(engine, gate, "ana", answer(rationale=WHY, **more), now=NOW)
    with transaction(engine) as session:
        carry_out(session, gate, BY, NOW)


def test_who_receives_an_escalation_reads_why_a_person_was_asked_and_why_it_came(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    decide(engine, gate, verdict="escalate", action=None, escalate_to="legal")
    page = signed_in("lea").get(f"/cases/{case_of(engine, gate)}").text
    assert "It calls for violence &lt;b&gt;against&lt;/b&gt; one person." in page
    assert "escalate <strong>Legal</strong>" in page
    assert "Asked because:" in page


def test_who_decided_reads_again_what_they_wrote(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    ana, path = signed_in("ana"), f"/cases/{case_of(engine, gate)}"
    assert "Decided before" not in ana.get(path).text
    decide(engine, gate, action="suspend")
    assert "<strong>ana</strong>: approve <strong>Suspend" in ana.get(path).text


def test_what_was_done_is_undone_from_its_page_once(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    decide(engine, gate, action="suspend")
    ana, path = signed_in("ana"), f"/cases/{case_of(engine, gate)}"
    assert f'action="{path}/reverse"' in ana.get(path).text
    assert post(ana, f"{path}/reverse", reason=" ").status_code == 422
    done = post(ana, f"{path}/reverse", reason="The report was mistaken.")
    page = ana.get(done.headers["location"]).text
    assert "Undone. What has left is taken back" in page
    assert f'action="{path}/reverse"' not in page, "nothing stands any more"
    again = post(ana, f"{path}/reverse", reason="The report was mistaken.")
    assert again.status_code == 409
    assert "nothing stands that could be undone" in again.text


def test_who_may_not_read_a_case_can_undo_nothing_there(
    signed_in: SignIn, engine: Engine, gate: str
) -> None:
    decide(engine, gate, action="suspend")
    path = f"/cases/{case_of(engine, gate)}"
    assert post(signed_in("lea"), f"{path}/reverse", reason="not mine").status_code == 404
    assert post(signed_in("aud"), f"{path}/reverse", reason="only reads").status_code == 403
    assert "/reverse" not in signed_in("aud").get(path).text
