"""Cutting long sequences into batches."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of ``size`` items, the last one shorter; nothing for no items."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
