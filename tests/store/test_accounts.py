"""Signing in, on both databases."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from casework.accounts import LINK_LASTS, SESSION_IDLE, TRIES
from casework.errors import NotFound, SignInRefused
from casework.ledger.entries import SYSTEM, Provenance
from casework.store.accounts import (
    check_password,
    end_session,
    end_sessions,
    make_link,
    note_use,
    open_session,
    set_password,
    signed_in,
    use_link,
)
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.people import add_person, change_person

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def ana(engine: Engine, by: Provenance, now: datetime) -> None:
    """Somebody with a password."""
    with transaction(engine) as session:
        add_person(session, "ana", name="Ana", roles=["analyst"], queues=["*"], by=by, now=now)
        set_password(session, "ana", PASSWORD, by, now)


def tried(engine: Engine, by: Provenance, at: datetime, password: str = PASSWORD) -> bool:
    with transaction(engine) as session:
        return check_password(session, "ana", password, by, at)


def begun(engine: Engine, by: Provenance, at: datetime) -> str:
    with transaction(engine) as session:
        return open_session(session, "ana", by, at)


def who(engine: Engine, secret: str, at: datetime) -> str | None:
    with reading(engine) as session:
        found = signed_in(session, secret, at)
        return found.person.id if found else None


def test_wrong_passwords_make_the_right_one_wait(
    engine: Engine, by: Provenance, now: datetime
) -> None:
    for _ in range(TRIES):
        assert not tried(engine, by, now, "wrong")
    assert not tried(engine, by, now), "the right one too, for a while"
    assert tried(engine, by, now + timedelta(minutes=1))
    assert tried(engine, by, now + timedelta(minutes=1)), "and then it counts from nothing"


def test_nobody_else_signs_in(engine: Engine, by: Provenance, now: datetime) -> None:
    with transaction(engine) as session:
        assert not check_password(session, "eve", PASSWORD, by, now)
        change_person(session, "ana", active=False, by=by, now=now)
    assert not tried(engine, by, now)


def test_a_session_is_somebodys_until_it_is_idle(
    engine: Engine, by: Provenance, now: datetime
) -> None:
    secret = begun(engine, by, now)
    assert who(engine, secret, now) == "ana"
    assert who(engine, "another", now) is None
    later = now + SESSION_IDLE - timedelta(seconds=1)
    with transaction(engine) as session:
        note_use(session, secret, later)
    assert who(engine, secret, later + SESSION_IDLE - timedelta(seconds=1)) == "ana"
    assert who(engine, secret, later + SESSION_IDLE) is None


def test_signing_out_a_new_password_and_losing_activity_end_sessions(
    engine: Engine, by: Provenance, now: datetime
) -> None:
    first, second = begun(engine, by, now), begun(engine, by, now)
    with transaction(engine) as session:
        end_session(session, first, by, now)
        end_session(session, first, by, now)
    assert (who(engine, first, now), who(engine, second, now)) == (None, "ana")
    with transaction(engine) as session:
        set_password(session, "ana", PASSWORD, by, now)
    assert who(engine, second, now) is None
    third = begun(engine, by, now)
    with transaction(engine) as session:
        change_person(session, "ana", active=False, by=by, now=now)
    assert who(engine, third, now) is None


def test_a_link_signs_in_once_and_soon(engine: Engine, by: Provenance, now: datetime) -> None:
    with transaction(engine) as session:
        used, late = make_link(session, "ana", by, now), make_link(session, "ana", by, now)
        assert use_link(session, used, by, now) == "ana"
    for secret, at in ((used, now), (late, now + LINK_LASTS), ("made up", now)):
        with transaction(engine) as session, pytest.raises(SignInRefused):
            use_link(session, secret, by, at)


def test_there_is_no_link_for_nobody(engine: Engine, by: Provenance, now: datetime) -> None:
    with transaction(engine) as session, pytest.raises(NotFound):
        make_link(session, "eve", by, now)


def test_no_secret_is_in_the_store(engine: Engine, by: Provenance, now: datetime) -> None:
    with transaction(engine) as session:
        link = make_link(session, "ana", by, now)
    secret = begun(engine, by, now)
    with engine.connect() as connection:
        told = "".join(
            str(row)
            for table in ("accounts", "sign_in_links", "sessions", "ledger_entries")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        )
    assert not any(each in told for each in (link, secret, PASSWORD))


def test_all_of_it_is_in_the_history(engine: Engine, by: Provenance, now: datetime) -> None:
    tried(engine, by, now, "wrong")
    secret = begun(engine, by, now)
    with transaction(engine) as session:
        end_session(session, secret, by, now)
        make_link(session, "ana", by, now)
        assert end_sessions(session, "ana", by, now) == 0
    with reading(engine) as session:
        told = [entry.action for entry in entries_of(session, SYSTEM)]
    assert told[1:] == [
        "account.password_set",
        "account.sign_in_refused",
        "session.opened",
        "session.ended",
        "account.link_made",
    ]
