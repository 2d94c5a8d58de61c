"""Keeping posts, many in one transaction.

A post is answered once its row is committed, and a commit that reaches the disk takes
milliseconds. So posts that arrive while one group is being written make up the next group: each
waits for one commit, or two, however many come.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, TypeAlias
from zlib import crc32

from casework.errors import CaseworkError, StoreError
from casework.inbox.posts import Kept

#: Posts in one transaction at the most.
GROUP: Final = 500

#: Posts that may wait for theirs; more are turned away until the store is faster.
LIMIT: Final = 5_000

log = logging.getLogger(__name__)

Write: TypeAlias = Callable[[Sequence[Kept]], None]
Waiting: TypeAlias = tuple[Kept, "asyncio.Future[None]"]


class GroupWriter:
    """One thread that writes what requests hand in; ``write`` commits a group or none of it."""

    def __init__(self, write: Write, *, group: int = GROUP, limit: int = LIMIT) -> None:
        self._write, self._group, self._limit = write, group, limit
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="inbox-writer", daemon=True)
        self._closed = False

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what has been handed in, then stop."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether posts are being written."""
        return self._thread.is_alive() and not self._closed

    async def keep(self, post: Kept) -> None:
        """Return once the post is committed.

        Raises:
            StoreError: it could not be; the source is to send it again.
        """
        if not self.alive or self._queue.qsize() >= self._limit:
            raise StoreError("posts cannot be kept as fast as they come", hint="send it again")
        done = asyncio.get_running_loop().create_future()
        self._queue.put((post, done))
        await done

    def _run(self) -> None:
        while True:
            group, more = self._next_group()
            if group:
                self._write_group(group)
            if not more:
                return

    def _next_group(self) -> tuple[list[Waiting], bool]:
        """All that wait, as many as fit; False at the end of all work."""
        group: list[Waiting] = []
        try:
            while len(group) < self._group:
                waiting = self._queue.get(block=not group)
                if waiting is None:
                    return group, False
                group.append(waiting)
        except Empty:
            return group, True
        return group, True

    def _write_group(self, group: Sequence[Waiting]) -> None:
        error = self._try([post for post, _ in group])
        if error is not None and not isinstance(error, StoreError) and len(group) > 1:
            # One post that the store refuses is no reason to refuse the others.
            for waiting in group:
                self._write_group([waiting])
            return
        loop = group[0][1].get_loop()
        loop.call_soon_threadsafe(_tell, [done for _, done in group], error)

    def _try(self, posts: Sequence[Kept]) -> Exception | None:
        try:
            self._write(posts)
        except CaseworkError as error:
            log.error("%d posts were not kept: %s", len(posts), error.code)
            return error
        except Exception as error:
            # Its message may quote a body, so only its kind is told.
            log.error("%d posts were not kept: %s", len(posts), type(error).__name__)
            return error
        return None


class Writers:
    """Several writers beside each other, so that one group is made while another is committed.

    Whatever is one delivery goes to one writer, however often it comes: two transactions that keep
    the same posts in different orders would wait for each other.
    """

    def __init__(self, write: Write, number: int, *, limit: int = LIMIT) -> None:
        self._writers = [GroupWriter(write, limit=limit // number) for _ in range(number)]

    def start(self) -> None:
        """Begin to write."""
        for each in self._writers:
            each.start()

    def close(self) -> None:
        """Write what has been handed in, then stop."""
        for each in self._writers:
            each.close()

    @property
    def alive(self) -> bool:
        """Whether posts are being written."""
        return all(each.alive for each in self._writers)

    async def keep(self, post: Kept) -> None:
        """Return once the post is committed.

        Raises:
            StoreError: it could not be; the source is to send it again.
        """
        await self._writers[crc32(post.id.encode()) % len(self._writers)].keep(post)


def _tell(waiting: Sequence["asyncio.Future[None]"], error: Exception | None) -> None:
    """Let the requests go on; one that has been answered meanwhile is left alone."""
    for done in waiting:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(StoreError("the post was not kept", hint="send it again"))
