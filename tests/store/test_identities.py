"""Accounts in other systems, and whose they are."""

import pytest
from sqlalchemy import Engine

from casework.errors import Conflict, InputError, NotFound
from casework.ledger.entries import SYSTEM
from casework.store.engine import reading, transaction
from casework.store.identities import identities, link, person_of, unlink
from tests.factories.gates import BY, NOW, add_people
from tests.factories.intake import actions_in


@pytest.fixture(autouse=True)
def people(engine: Engine) -> None:
    """People whose accounts there may be."""
    add_people(engine)


def linked(engine: Engine, person: str, account: str = "U1", system: str = "slack") -> None:
    with transaction(engine) as session:
        link(session, person, system, account, BY, NOW)


def test_an_account_belongs_to_the_person_it_was_linked_to(engine: Engine) -> None:
    linked(engine, "ana")
    linked(engine, "ana", "U2")
    linked(engine, "ben", "U1", system="jira")
    with reading(engine) as session:
        assert person_of(session, "slack", "U1") == "ana"
        assert person_of(session, "jira", "U1") == "ben"
        assert person_of(session, "slack", "u1") is None
        assert [each.external_id for each in identities(session, "ana")] == ["U1", "U2"]
        assert len(identities(session)) == 3


def test_linking_again_writes_nothing_and_somebody_elses_account_is_refused(
    engine: Engine,
) -> None:
    linked(engine, "ana")
    linked(engine, "ana")
    assert actions_in(engine, SYSTEM).count("identity.linked") == 1
    with pytest.raises(Conflict, match="ana's"):
        linked(engine, "ben")


def test_an_account_that_was_unlinked_is_nobodys(engine: Engine) -> None:
    linked(engine, "ana")
    with pytest.raises(NotFound), transaction(engine) as session:
        unlink(session, "ben", "slack", "U1", BY, NOW)
    with transaction(engine) as session:
        unlink(session, "ana", "slack", "U1", BY, NOW)
    linked(engine, "ben")
    with reading(engine) as session:
        assert person_of(session, "slack", "U1") == "ben"
    assert actions_in(engine, SYSTEM)[-3:] == [
        "identity.linked",
        "identity.unlinked",
        "identity.linked",
    ]


def test_nobody_and_nothing_cannot_be_linked(engine: Engine) -> None:
    with pytest.raises(NotFound):
        linked(engine, "nobody")
    with pytest.raises(InputError):
        linked(engine, "ana", " ")
