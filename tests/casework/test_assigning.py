"""A refused claim is kept in the history, and changes nothing else."""

import pytest
from sqlalchemy import Engine

from casework.assigning import at_gate
from casework.errors import Conflict, Denied, NotFound
from casework.store.assignment import claim, hand_over
from tests.factories.escalation import (
    LEASE,
    add_everybody,
    assignment_at,
    clocks_of,
    person,
    timed_case,
    told,
)
from tests.factories.gates import NOW


@pytest.fixture
def gate(engine: Engine) -> str:
    """A gate that ana has claimed."""
    add_everybody(engine)
    gate = timed_case(engine)
    by = person("ana")
    at_gate(engine, gate, lambda session: claim(session, gate, LEASE, by, NOW), by, NOW)
    return gate


def denials(engine: Engine, gate: str) -> list[str]:
    return [data["reason"] for action, data in told(engine, gate) if action == "gate.denied"]


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [("ben", Conflict, "held"), ("aud", Denied, "role"), ("nobody", Denied, "unknown_person")],
)
def test_a_refused_claim_is_kept_and_leaves_the_gate_to_who_has_it(
    engine: Engine, gate: str, name: str, kind: type[Exception], reason: str
) -> None:
    by = person(name)
    with pytest.raises(kind):
        at_gate(engine, gate, lambda session: claim(session, gate, LEASE, by, NOW), by, NOW)
    assert denials(engine, gate) == [reason]
    assert assignment_at(engine, gate).holder == "ana"


def test_a_refused_hand_over_is_kept_too(engine: Engine, gate: str) -> None:
    by = person("ana")
    with pytest.raises(Denied):
        at_gate(engine, gate, lambda session: hand_over(session, gate, "mixed", by, NOW), by, NOW)
    assert denials(engine, gate) == ["escalation"]
    assert "partner_answer" not in clocks_of(engine, gate)


def test_a_claim_that_is_accepted_denies_nothing(engine: Engine, gate: str) -> None:
    assert denials(engine, gate) == []


def test_what_is_not_there_has_no_history(engine: Engine, gate: str) -> None:
    by = person("ana")
    with pytest.raises(NotFound):
        at_gate(engine, "g0-1-1", lambda session: claim(session, "g0-1-1", LEASE, by, NOW), by, NOW)
