"""Where an incident may go, and who may do what in it."""

import pytest

from casework.errors import Conflict
from casework.gates import Person
from casework.incidents.roles import IncidentRole
from casework.incidents.states import (
    AFTER_CLOSING,
    RIGHTS,
    TRANSITIONS,
    Denial,
    IncidentStatus,
    Operation,
    check_move,
    incident_id,
    judge,
    unfinished,
)

pairs = [(before, after) for before in IncidentStatus for after in IncidentStatus]


def person(*roles: str, active: bool = True) -> Person:
    return Person("ana", frozenset(roles), frozenset({"*"}), active)


@pytest.mark.parametrize(("before", "after"), pairs)
def test_only_the_moves_in_the_table_are_legal(
    before: IncidentStatus, after: IncidentStatus
) -> None:
    if after in TRANSITIONS[before]:
        check_move(before, after)
        return
    with pytest.raises(Conflict, match=f"{before} cannot become {after}") as refusal:
        check_move(before, after)
    assert refusal.value.hint


def test_every_status_and_every_operation_has_its_place() -> None:
    assert TRANSITIONS.keys() == set(IncidentStatus)
    assert RIGHTS.keys() == set(Operation)
    assert not TRANSITIONS[IncidentStatus.CLOSED]


@pytest.mark.parametrize(
    ("operation", "roles", "may"),
    [
        (Operation.OPEN, ["senior"], True),
        (Operation.OPEN, ["lead"], True),
        (Operation.OPEN, ["analyst"], False),
        (Operation.CLOSE, ["lead"], True),
        (Operation.CLOSE, ["senior"], False),
        (Operation.HOLD, ["senior"], False),
        (Operation.NOTE, ["partner"], True),
        (Operation.NOTE, ["auditor"], False),
        (Operation.ATTACH, ["analyst"], True),
        (Operation.DETACH, ["analyst"], False),
        (Operation.SETTLE, ["partner"], True),
        (Operation.FOLLOW_UP, ["qa"], True),
        (Operation.UPDATE, ["senior"], False),
    ],
)
def test_a_role_in_the_organisation_gives_its_rights(
    operation: Operation, roles: list[str], may: bool
) -> None:
    ruling = judge(operation, person(*roles))
    assert (ruling is None) is may
    if ruling:
        assert ruling.reason is Denial.ROLE


@pytest.mark.parametrize(
    ("operation", "held", "may"),
    [
        (Operation.CLOSE, IncidentRole.COMMANDER, True),
        (Operation.HOLD, IncidentRole.COMMANDER, True),
        (Operation.CLOSE, IncidentRole.SCRIBE, False),
        (Operation.UPDATE, IncidentRole.COMMUNICATIONS, True),
        (Operation.ASK, IncidentRole.LIAISON_LEGAL, True),
        (Operation.OPEN, IncidentRole.COMMANDER, False),
    ],
)
def test_a_role_in_the_incident_gives_its_rights(
    operation: Operation, held: IncidentRole, may: bool
) -> None:
    assert (judge(operation, person("auditor"), {held}) is None) is may


@pytest.mark.parametrize("operation", Operation)
def test_nobody_and_those_who_left_may_do_nothing(operation: Operation) -> None:
    gone = judge(operation, person("lead", active=False), set(IncidentRole))
    assert gone is not None
    assert gone.reason is Denial.INACTIVE
    nobody = judge(operation, None)
    assert nobody is not None
    assert nobody.reason is Denial.UNKNOWN_PERSON


@pytest.mark.parametrize("operation", Operation)
def test_after_closing_little_is_done(operation: Operation) -> None:
    ruling = judge(operation, person("lead"), set(IncidentRole), IncidentStatus.CLOSED)
    assert (ruling is None) is (operation in AFTER_CLOSING)


def test_what_is_left_to_do_is_said_in_full() -> None:
    assert unfinished(commanded=True, owed=[], holds=[]) == []
    reasons = unfinished(commanded=False, owed=["task 1 of Legal"], holds=["inc1-h1"])
    assert len(reasons) == 3
    assert "task 1 of Legal" in str(reasons)
    assert "inc1-h1" in str(reasons)


def test_the_same_key_is_the_same_incident() -> None:
    assert incident_id("page-1") == incident_id("page-1") != incident_id("page-2")
