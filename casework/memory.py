"""How often Python looks for garbage while many rows are in hand."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: Allocations between two looks. The default, 700, means hundreds of looks at each batch of rows,
#: none of which finds anything: a quarter of the time intake takes.
_RARELY: Final = 1_000_000


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Look for garbage rarely while the block runs; rows are freed by their counts all the same."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _RARELY), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
