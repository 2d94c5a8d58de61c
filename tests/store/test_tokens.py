"""Tokens in the store: found by their secret alone, ended by time, by hand, with their person."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import Engine, text

from casework.errors import NotFound
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.people import change_person, limit_access
from casework.store.tokens import (
    Request,
    bearer,
    make_token,
    note_token_use,
    revoke_token,
    tokens,
)
from tests.factories.gates import BY, NOW, add_people

DAY = timedelta(days=1)


@pytest.fixture
def made(engine: Engine) -> tuple[str, str]:
    """A token of ana's that reads for a day: its id and its secret."""
    add_people(engine)
    with transaction(engine) as session:
        token, secret = make_token(session, Request("ana", "script", ("read",), DAY), BY, NOW)
        return token.id, secret


def test_a_secret_names_its_person_until_it_ends(engine: Engine, made: tuple[str, str]) -> None:
    token, secret = made
    with reading(engine) as session:
        found = bearer(session, secret, NOW + DAY - timedelta(seconds=1))
        assert found is not None
        assert (found.person.id, found.token.id, found.token.scopes) == ("ana", token, ["read"])
        assert bearer(session, secret, NOW + DAY) is None
        assert bearer(session, secret + "x", NOW) is None
        assert bearer(session, token, NOW) is None


def test_the_secret_is_nowhere_in_the_store(engine: Engine, made: tuple[str, str]) -> None:
    with reading(engine) as session:
        kept = session.execute(text("SELECT * FROM tokens")).all()
        told = [entry.body for entry in entries_of(session, "system")]
    assert made[1] not in f"{kept} {told}"


def test_a_revoked_token_is_dead_and_revoking_it_again_changes_nothing(
    engine: Engine, made: tuple[str, str]
) -> None:
    token, secret = made
    for _ in range(2):
        with transaction(engine) as session:
            revoke_token(session, token, BY, NOW)
    with reading(engine) as session:
        assert bearer(session, secret, NOW) is None
        bodies = [orjson.loads(entry.body) for entry in entries_of(session, "system")]
    told = [body for body in bodies if body["action"].startswith("token.")]
    assert [body["action"] for body in told] == ["token.made", "token.revoked"]
    assert {body["data"]["person"] for body in told} == {"ana"}


def test_nobody_revokes_what_is_anothers(engine: Engine, made: tuple[str, str]) -> None:
    with transaction(engine) as session, pytest.raises(NotFound):
        revoke_token(session, made[0], BY, NOW, person="ben")


def test_a_token_ends_with_its_persons_activity(engine: Engine, made: tuple[str, str]) -> None:
    with transaction(engine) as session:
        change_person(session, "ana", active=False, by=BY, now=NOW)
    with reading(engine) as session:
        assert bearer(session, made[1], NOW) is None


def test_a_token_ends_with_its_persons_access(engine: Engine, made: tuple[str, str]) -> None:
    with transaction(engine) as session:
        limit_access(session, "ana", NOW + DAY / 2, BY, NOW)
    with reading(engine) as session:
        assert bearer(session, made[1], NOW) is not None
        assert bearer(session, made[1], NOW + DAY / 2) is None


def test_the_last_use_is_kept_once_a_minute(engine: Engine, made: tuple[str, str]) -> None:
    for seconds in (0, 30, 61):
        with transaction(engine) as session:
            note_token_use(session, made[0], NOW + timedelta(seconds=seconds))
        with reading(engine) as session:
            used = tokens(session, "ana")[0].used_at
        assert used == NOW + timedelta(seconds=0 if seconds < 60 else 61)
