"""Names for people in what leaves the house: always the same, and nobody's without the key."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import TypeAlias

Naming: TypeAlias = Callable[[str], str]


def pseudonyms(secret: bytes) -> Naming:
    """The function that gives people their pseudonyms: HMAC-SHA256 under a key made of a secret.

    The same secret gives the same pseudonyms, so that rounds and exports can be compared.
    """
    key = sha256(b"casework pseudonyms\x00" + secret).digest()

    def name(person: str) -> str:
        return "p" + hmac.new(key, person.encode(), sha256).hexdigest()[:12]

    return name


def as_they_are(person: str) -> str:
    """The name itself, for those who may see it."""
    return person
