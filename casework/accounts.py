"""Signing in with a password or a one-time link: what is kept, and what is refused."""

import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from casework.errors import InputError

#: NIST SP 800-63B, 3.1.1.2: the length a memorised secret needs, and one it may have.
SHORTEST: Final = 15
LONGEST: Final = 256

#: How long a session lasts without use, and at all.
SESSION_IDLE: Final = timedelta(minutes=30)
SESSION_LONGEST: Final = timedelta(hours=12)
#: How long a one-time link can be used.
LINK_LASTS: Final = timedelta(minutes=30)

#: Wrong passwords in a row after which an account waits, and how long: twice as long each time.
TRIES: Final = 5
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)


def new_secret() -> str:
    """Make a token of 256 random bits, safe in a URL and a cookie."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """What the store keeps of a token: who reads the store cannot sign in with it."""
    return sha256(secret.encode()).hexdigest()


def csrf_token(session_secret: str) -> str:
    """The token that a session's forms carry; it tells nothing of the session's own."""
    return sha256(b"csrf\x00" + session_secret.encode()).hexdigest()


def hash_password(password: str) -> str:
    """Hash a password with Argon2id and the library's recommended cost (RFC 9106).

    Raises:
        InputError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            f"a password has {SHORTEST} to {LONGEST} characters",
            hint="several words in a row are easy to remember and hard to guess",
        )
    return _hasher().hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Compare a password with a stored hash; without one, take as long and say no."""
    try:
        matches = _hasher().verify(stored or _nobody(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored is not None


def wait_after(failures: int) -> timedelta:
    """How long an account takes no password after so many wrong ones in a row."""
    if failures < TRIES:
        return timedelta(0)
    doublings = min(failures - TRIES, 10)
    wait: timedelta = FIRST_WAIT * 2**doublings
    return min(LONGEST_WAIT, wait)


def session_ends(opened: datetime, used: datetime) -> datetime:
    """When a session ends if it is not used again."""
    return min(used + SESSION_IDLE, opened + SESSION_LONGEST)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash(secrets.token_hex(16))
