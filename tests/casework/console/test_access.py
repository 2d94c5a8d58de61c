"""Who may see what: the table, and what follows from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.console.access import CAPABILITIES, Capability, Viewer
from casework.gates import Role
from casework.policy.model import Queue

LEGAL = Queue("legal", "Legal", frozenset({"partner", "lead"}), 1, ("no_action",), ())

roles = st.frozensets(st.sampled_from([str(role) for role in Role]), min_size=1)
queues = st.frozensets(st.sampled_from(["legal", "general", "*"]))


def viewer(roles: frozenset[str], queues: frozenset[str] = frozenset({"*"})) -> Viewer:
    return Viewer("ana", "Ana", roles, queues)


def test_every_role_has_a_row() -> None:
    assert set(CAPABILITIES) == set(Role)


@given(roles, queues)
def test_who_answers_in_a_queue_has_its_role_and_the_queue(
    roles: frozenset[str], queues: frozenset[str]
) -> None:
    may = viewer(roles, queues).answers_in(LEGAL)
    assert may == (bool(roles & LEGAL.roles) and bool(queues & {"legal", "*"}))


@given(roles, queues)
def test_a_case_of_other_queues_is_read_by_auditors_alone(
    roles: frozenset[str], queues: frozenset[str]
) -> None:
    who = viewer(roles, queues - {"*"})
    assert who.may_read(["elsewhere"]) == who.may(Capability.READ_ALL)


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_neither_administrators_nor_auditors_work(role: str) -> None:
    who = viewer(frozenset({role}))
    assert not who.may(Capability.WORK)
    assert not who.is_in("legal")
