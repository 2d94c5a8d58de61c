"""Tokens with which programs act for a person: what they allow, and how long they last."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from casework.accounts import fingerprint, new_secret
from casework.errors import InputError

#: What every token begins with, so that a scanner of sources finds one that was checked in.
PREFIX: Final = "cwt_"

#: How long a token lasts unless somebody says otherwise, and at the most.
LASTS: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=365)

#: Letters the name of a token may have.
LONGEST_NAME: Final = 100


class Scope(StrEnum):
    """What a token lets do. Its person's roles and queues hold beside it."""

    READ = "read"  # queues, cases with their content, re-reviews
    DECIDE = "decide"  # take, hold and hand over gates; answer there and in re-reviews
    LEAD = "lead"  # what leads see, trying effects again, taking over from others
    AUDIT = "audit"  # the history of all


def new_token() -> str:
    """Make a token of 256 random bits."""
    return PREFIX + new_secret()


def token_id(secret: str) -> str:
    """The name under which a token is listed and revoked; nobody can act with it."""
    return f"t{fingerprint(secret)[:20]}"


def checked_scopes(given: Iterable[str]) -> list[str]:
    """Scopes by name, each once.

    Raises:
        InputError: there is none, or one does not exist.
    """
    chosen = sorted(set(given))
    hint = f"scopes are {', '.join(Scope)}"
    if unknown := [name for name in chosen if name not in set(Scope)]:
        raise InputError(f"no such scope: {', '.join(unknown)}", hint=hint)
    if not chosen:
        raise InputError("a token needs a scope", hint=hint)
    return chosen


def checked_name(given: str) -> str:
    """What a token is called, so that people know it again.

    Raises:
        InputError: it is empty or too long.
    """
    name = given.strip()
    if not 0 < len(name) <= LONGEST_NAME or "\x00" in name:
        raise InputError(
            f"a token needs a name of at most {LONGEST_NAME} letters",
            hint="name the program that will use it",
        )
    return name


def checked_end(lasts: timedelta, now: datetime) -> datetime:
    """When a token that begins now ends.

    Raises:
        InputError: it would last too long, or not at all.
    """
    if not timedelta(0) < lasts <= LONGEST:
        raise InputError(
            f"a token lasts at most {LONGEST.days} days",
            hint="make another when it ends",
        )
    return now + lasts
