"""What destinations.yaml may hold, and how long an action lasts, as pydantic models."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from casework.effects import EffectKind
from casework.policy.entry import Entry, Id
from casework.policy.model import DestinationType

_LASTING: Final = re.compile(r"(\d{1,5}) (second|minute|hour|day|week)s?")


def lasting(value: Any) -> timedelta:
    """Read ``30 seconds``, ``36 hours`` or ``7 days``; a day has 24 hours whatever the calendar."""
    found = _LASTING.fullmatch(value) if isinstance(value, str) else None
    length = timedelta(**{f"{found[2]}s": int(found[1])}) if found else None
    if not length:
        raise ValueError("write a number and a unit, such as 7 days")
    return length


Lasting: TypeAlias = Annotated[timedelta, BeforeValidator(lasting)]


class RetryEntry(Entry):
    """How often a destination is tried, and how long is waited between; each wait is longer."""

    attempts: int = Field(12, ge=1, le=100, strict=True)
    first_wait: Lasting = timedelta(seconds=10)
    longest_wait: Lasting = timedelta(hours=1)


class DestinationEntry(Entry):
    """destinations.yaml, by destination."""

    type: DestinationType
    takes: tuple[EffectKind, ...] = Field(min_length=1)
    per_minute: int | None = Field(None, ge=1, le=100_000, strict=True)
    at_once: int = Field(4, ge=1, le=100, strict=True)
    retry: RetryEntry = RetryEntry()
    options: dict[Id, str | int | bool] = Field(default_factory=dict)
    audiences: tuple[Literal["internal", "partners", "public"], ...] = Field(
        ("internal",), min_length=1
    )
