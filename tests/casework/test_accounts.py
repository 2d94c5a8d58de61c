"""Passwords, waits and sessions, without a store."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.accounts import (
    LONGEST_WAIT,
    SESSION_IDLE,
    SESSION_LONGEST,
    TRIES,
    csrf_token,
    fingerprint,
    hash_password,
    new_secret,
    password_fits,
    session_ends,
    wait_after,
)
from casework.errors import InputError

OPENED = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_only_the_password_fits_its_hash() -> None:
    stored = hash_password("correct horse battery")
    assert "correct" not in stored
    assert password_fits(stored, "correct horse battery")
    assert not password_fits(stored, "correct horse batterz")
    assert not password_fits(None, "correct horse battery")
    assert not password_fits("not a hash", "correct horse battery")


@pytest.mark.parametrize("password", ["", "fourteen chars", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(InputError, match="15 to 256"):
        hash_password(password)


@given(st.integers(0, 10_000))
def test_waits_begin_late_and_never_shrink(failures: int) -> None:
    assert wait_after(failures) <= wait_after(failures + 1) <= LONGEST_WAIT
    assert (wait_after(failures) > timedelta(0)) == (failures >= TRIES)


@given(st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_session_ends_when_idle_and_at_the_latest_after_its_longest(used: timedelta) -> None:
    ends = session_ends(OPENED, OPENED + used)
    assert ends <= OPENED + SESSION_LONGEST
    assert ends <= OPENED + used + SESSION_IDLE


def test_what_is_kept_of_a_secret_gives_it_away_to_nobody() -> None:
    secret = new_secret()
    assert len(secret) >= 43
    assert secret not in (fingerprint(secret), csrf_token(secret))
    assert fingerprint(secret) != csrf_token(secret)
