"""Roles: whoever takes and gives them up, in whatever order, one person at a time holds one."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.incidents.roles import (
    SINGLE,
    Handover,
    IncidentRole,
    Tenure,
    assume,
    holders,
    renounce,
    roles_of,
)
from tests.factories.gates import NOW

steps = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([IncidentRole.COMMANDER, IncidentRole.SCRIBE, IncidentRole.LIAISON_LEGAL]),
        st.sampled_from(["ana", "ben", "mia"]),
        st.integers(-10, 30),  # minutes on the clock of whoever does it
    )
)


def applied(tenures: list[Tenure], change: Handover) -> list[Tenure]:
    """What the store does: ends one in its place, adds the other at the end."""
    key = change.ended and (change.ended.role, change.ended.person, change.ended.assumed_at)
    kept = [
        change.ended
        if change.ended
        and each.renounced_at is None
        and (each.role, each.person, each.assumed_at) == key
        else each
        for each in tenures
    ]
    return [*kept, change.begun] if change.begun else kept


def history(done: list) -> list[Tenure]:
    tenures: list[Tenure] = []
    for takes, role, person, minute in done:
        change = (assume if takes else renounce)(
            tenures, role, person, NOW + timedelta(minutes=minute)
        )
        tenures = applied(tenures, change)
    return tenures


@given(steps)
def test_tenures_in_a_role_for_one_never_overlap(done: list) -> None:
    tenures = history(done)
    for role in SINGLE:
        held = sorted(
            (each for each in tenures if each.role is role), key=lambda each: each.assumed_at
        )
        assert len(holders(tenures, role)) <= 1
        for earlier, later in pairwise(held):
            assert earlier.renounced_at is not None
            assert earlier.renounced_at <= later.assumed_at


@given(steps)
def test_a_tenure_ends_no_earlier_than_it_began(done: list) -> None:
    assert all(
        each.renounced_at is None or each.renounced_at >= each.assumed_at for each in history(done)
    )


@given(steps, steps)
def test_what_has_ended_is_never_changed(before: list, after: list) -> None:
    ended = [each for each in history(before) if each.renounced_at]
    later = history([*before, *after])
    assert all(later.count(each) >= ended.count(each) for each in ended)


@given(steps)
def test_whoever_took_a_role_last_holds_it(done: list) -> None:
    tenures = history([*done, (True, IncidentRole.COMMANDER, "ana", 0)])
    assert [each.person for each in holders(tenures, IncidentRole.COMMANDER)] == ["ana"]
    assert IncidentRole.COMMANDER in roles_of(tenures, "ana")


def test_taking_a_role_twice_changes_nothing() -> None:
    tenures = history([(True, IncidentRole.SCRIBE, "ana", 0)])
    assert assume(tenures, IncidentRole.SCRIBE, "ana", NOW) == Handover()
    assert renounce(tenures, IncidentRole.SCRIBE, "ben", NOW) == Handover()


@pytest.mark.parametrize(("role", "together"), [("scribe", 1), ("liaison_legal", 2)])
def test_a_partner_may_have_two_liaisons_but_an_incident_one_scribe(
    role: str, together: int
) -> None:
    named = IncidentRole(role)
    tenures = history([(True, named, "ana", 0), (True, named, "ben", 1)])
    assert len(holders(tenures, named)) == together
