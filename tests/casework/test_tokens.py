"""Tokens: what they may be called, allow, and how long they last."""

from datetime import UTC, datetime, timedelta

import pytest

from casework.errors import InputError
from casework.tokens import (
    LONGEST,
    PREFIX,
    checked_end,
    checked_name,
    checked_scopes,
    new_token,
    token_id,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_two_tokens_differ_and_their_ids_tell_nothing_of_them() -> None:
    first, second = new_token(), new_token()
    assert first != second
    assert first.startswith(PREFIX)
    assert token_id(first) != token_id(second)
    assert token_id(first)[1:] not in first


@pytest.mark.parametrize("scopes", [[], ["read", "everything"], ["READ"]])
def test_scopes_are_those_that_there_are(scopes: list[str]) -> None:
    with pytest.raises(InputError, match="scope"):
        checked_scopes(scopes)
    assert checked_scopes(["read", "decide", "read"]) == ["decide", "read"]


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(days=-1), LONGEST + timedelta(days=1)])
def test_no_token_lasts_for_ever(lasts: timedelta) -> None:
    with pytest.raises(InputError, match="at most 365 days"):
        checked_end(lasts, NOW)
    assert checked_end(LONGEST, NOW) == NOW + LONGEST


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b"])
def test_a_token_is_called_something(name: str) -> None:
    with pytest.raises(InputError, match="name"):
        checked_name(name)
