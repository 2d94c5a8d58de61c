"""Making the next of many things while those before are worked on."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Generic, TypeVar

T = TypeVar("T")

#: Items that are coming at the most, beside the one that is worked on.
_IN_HAND: Final = 2


class Ahead(Generic[T]):
    """An iterator whose items are made on another thread: one is ready when it is asked for.

    While an item is worked on the next one is in hand, and ``start`` begins the one after that.
    Python runs one thread at a time, so ``start`` is best called when the worker is about to wait:
    for the database, say. What an item needs of other code than Python then goes on beside the
    work on the next. An item that nobody started is begun when the one before it is taken.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._coming: deque[Future[T]] = deque()

    def start(self) -> None:
        """Begin to make one more item, unless two are coming already."""
        if len(self._coming) < _IN_HAND:
            self._coming.append(self._pool.submit(next, self._items))

    def __iter__(self) -> "Ahead[T]":
        """Itself."""
        return self

    def __next__(self) -> T:
        """The next item; what its making raised is raised here."""
        while len(self._coming) < _IN_HAND:
            self.start()
        return self._coming.popleft().result()

    def __enter__(self) -> "Ahead[T]":
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for an item that is being made, so that nobody reads on behind one's back."""
        self._pool.shutdown(wait=True, cancel_futures=True)
