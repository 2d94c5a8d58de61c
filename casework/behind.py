"""Doing things on another thread, one after the other, while what comes after them is made."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

#: Seconds a thread may keep the interpreter while another one waits for it. The default, five
#: thousandths, is longer than most statements take: a writer would wait as long as it works.
_TURN: Final = 0.0005


class Behind:
    """Calls that are made on another thread, in their order.

    Leaving the block waits for them, and raises what the first that failed has raised. It pays
    where the calls leave the interpreter to others, as a database does.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="behind")
        self._calls: list[Future[object]] = []

    def __call__(self, function: Callable[..., object], *given: Any) -> None:
        """Call a function later, with what is given."""
        self._calls.append(self._pool.submit(function, *given))

    def __enter__(self) -> "Behind":
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the calls; those that have not begun are dropped if the block has failed."""
        self._pool.shutdown(wait=True, cancel_futures=error is not None)
        if error is None:
            for call in self._calls:
                call.result()


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads take turns more often while the block runs."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
