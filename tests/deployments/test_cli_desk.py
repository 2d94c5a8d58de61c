"""The commands for playbooks that ask and for cases that not everybody may know of."""

import pytest
from sqlalchemy import Engine

from casework.gates import Role
from casework.store.engine import transaction
from casework.store.people import add_person
from tests.deployments.test_cli import decide, document, home
from tests.factories.gates import BY, NOW, add_people
from tests.factories.playbooks import asking_case

__all__ = ["home"]


@pytest.fixture
def gate(engine: Engine) -> str:
    """A gate whose playbook asks, and people, a lead among them."""
    add_people(engine)
    with transaction(engine) as session:
        add_person(session, "lou", name="", roles=[Role.LEAD], queues=["*"], by=BY, now=NOW)
    return asking_case(engine)


def test_a_playbook_is_shown_and_answered_before_a_decision(gate: str) -> None:
    asked = document("approvals", "playbook", gate)
    assert (asked["missing"], asked["suggestion"]) == (["kind"], None)
    refused = decide(gate, code=5)["error"]
    assert refused["reason"] == "playbook"
    words = ("approvals", "playbook", gate, "--answer")
    assert "danger=no" in document(*words, "kind", "--as", "ana", code=3)["error"]["hint"]
    followed = document(*words, "kind=figure", "--as", "ana")
    assert (followed["missing"], followed["suggestion"]) == ([], "no_action")
    assert document("approvals", "show", gate)["playbook"][0]["person"] == "ana"
    assert decide(gate)["decided"]


def test_a_case_is_kept_to_people_and_the_guard_knows_no_such_gate(gate: str) -> None:
    kept = document("cases", "restrict", "test:T-1", "--to", "ben", "--reason", "one of us")
    assert kept["let_in"] == ["ben"]
    assert document("cases", "show", "test:T-1")["let_in"] == ["ben"]
    assert decide(gate, code=4)["error"]["message"] == f"there is no gate {gate}"
    assert (
        document("approvals", "show", gate, "--as", "ana", code=4)["error"]["code"] == "not_found"
    )
    assert document("approvals", "next", "--as", "ana")["gate"] is None
    assert document("approvals", "next", "--as", "ben")["gate"]["id"] == gate
    lift = ("cases", "unrestrict", "test:T-1")
    assert document(*lift, "--as", "lou", code=4)["error"]["code"] == "not_found"
    assert document(*lift, "--as", "ben", code=5)["error"]["code"] == "denied"
    assert document(*lift)["lifted"] is True
    assert document(*lift)["lifted"] is False
