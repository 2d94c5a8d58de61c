"""Entries without people's ids: the same entries, with pseudonyms in their place. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from casework.canonical import canonical


def redacted(body: str, names: Mapping[str, str]) -> str:
    """An entry's body with every id among ``names`` replaced, in who acted and in what is told.

    A value is replaced where all of it is an id, so a person called like a queue hides that too.
    What places the entry, its chain, position, time and digests, stays.
    """
    said = orjson.loads(body)
    said["actor"] = names.get(said["actor"], said["actor"])
    said["data"] = _replaced(said["data"], names)
    return canonical(said).decode()


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_replaced(each, names) for each in value]
    if isinstance(value, dict):
        return {names.get(key, key): _replaced(each, names) for key, each in value.items()}
    return value
