"""Times as people type them: a moment, or so long from now or ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from casework.errors import InputError

_SPAN: Final = re.compile(r"(\d{1,5})\s*(min|h|d)")
_UNITS: Final = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def moment(text: str, now: datetime, *, ago: bool = False) -> datetime:
    """A time from ISO 8601, in UTC where it names no zone, or from ``45min``, ``2h``, ``3d``.

    So long is counted from now on, or with ``ago`` back from now.

    Raises:
        InputError: it is neither.
    """
    if span := _SPAN.fullmatch(text.strip()):
        length = int(span[1]) * _UNITS[span[2]]
        return now - length if ago else now + length
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(
            f"{text} is not a time", hint="for example 45min, 2h, 3d or 2026-03-02T09:30Z"
        ) from error
    return given if given.tzinfo else given.replace(tzinfo=UTC)
