"""Making the next of many things while the one before is worked on."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """An iterator whose next item is made on another thread, from the moment of ``start``.

    Python runs one thread at a time, so an item is best begun when this one is about to wait: for
    the database, say. An item that nobody started is made when it is asked for.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._coming: Future[T] | None = None

    def start(self) -> None:
        """Begin to make the next item, if nobody has."""
        if self._coming is None:
            self._coming = self._pool.submit(next, self._items)

    def __iter__(self) -> "Ahead[T]":
        """Itself."""
        return self

    def __next__(self) -> T:
        """The next item; what its making raised is raised here."""
        self.start()
        coming, self._coming = self._coming, None
        if coming is None:
            raise StopIteration
        return coming.result()

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
