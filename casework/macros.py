"""Macros: texts with places that a case fills in. No expressions, no logic, nothing executed.

``{{ clause }}`` is replaced by a field; ``{{ clause or "our rules" }}`` says what stands there
where a case does not have it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from casework.errors import ConfigurationError

#: What a case can give, and what it is. A bundle's ``macro_fields`` add to these.
FIELDS: Final[Mapping[str, str]] = {
    "reference": "The source's own id of what came in.",
    "received": "The day on which it came in.",
    "decided": "The day of the decision.",
    "until": "The day on which the action ends by itself; only where it does.",
    "clause": "The policy clause the decision names, if it names one.",
    "clause_text": "What that clause says.",
}

_PLACE: Final = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)(?:\s+or\s+\"([^\"{}]*)\")?\s*\}\}")
_BRACES: Final = re.compile(r"\{\{|\}\}")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a macro: where it begins, which field fills it, and what does otherwise."""

    offset: int
    field: str
    otherwise: str | None


def places(text: str) -> list[Place]:
    """Every place of a macro, in order."""
    return [Place(each.start(), each[1], each[2]) for each in _PLACE.finditer(text)]


def loose_braces(text: str) -> Iterator[int]:
    """Where double braces stand that are no place: a misspelt one would be sent as it is."""
    taken = [each.span() for each in _PLACE.finditer(text)]
    for brace in _BRACES.finditer(text):
        if not any(start <= brace.start() < end for start, end in taken):
            yield brace.start()


def render(name: str, text: str, values: Mapping[str, str]) -> str:
    """Fill a macro in; what a value contains is not looked at again.

    Raises:
        ConfigurationError: a field has neither a value nor something that stands in for it.
    """
    missing = unfilled(text, values)
    if missing:
        raise ConfigurationError(
            f"macro `{name}` says {', '.join(missing)}, which this case does not have",
            hint=f'say what stands there otherwise: {{{{ {missing[0]} or "..." }}}}',
        )
    return _PLACE.sub(lambda place: values.get(place[1]) or str(place[2]), text)


def day(moment: datetime) -> str:
    """A day as macros write it, in UTC: ``2 March 2026``."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def unfilled(text: str, values: Mapping[str, str]) -> list[str]:
    """The fields of a macro that have neither a value nor something that stands in for it."""
    return sorted(
        {
            place.field
            for place in places(text)
            if place.otherwise is None and not values.get(place.field)
        }
    )
