"""Filling in macros: the texts of a bundle with ``{{name}}`` where a value goes."""

import re
from collections.abc import Mapping
from typing import Final

from casework.errors import InputError

_PLACE: Final = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")


def places(text: str) -> list[str]:
    """The names of the values a macro wants, in the order it names them, each once."""
    return list(dict.fromkeys(_PLACE.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into a macro's places; a value's own braces are left as they are.

    Raises:
        InputError: a place has no value.
    """
    if missing := [name for name in places(text) if name not in values]:
        raise InputError(
            f"the macro wants: {', '.join(missing)}", hint=f"give --set {missing[0]}=..."
        )
    return _PLACE.sub(lambda place: values[place[1]], text).strip() + "\n"
