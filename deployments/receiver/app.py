"""The receiver's web application: ``POST /in/{source}``, and what a load balancer asks.

Nothing of a post is logged. A stranger learns whether a source exists, and no more.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from fastapi import FastAPI, Request, Response
from pydantic import SecretStr
from starlette.requests import ClientDisconnect

from casework.errors import StoreError
from casework.inbox.posts import Kept, Post, Vendor, kept
from casework.inbox.sources import Source
from casework.rate import Bucket
from deployments.receiver.answers import Answer, not_kept, refused, taken, too_fast
from integrations.signatures import Doubtful, check

#: Seconds a body may take to arrive.
READ_SECONDS: Final = 10.0

#: Seconds a post may wait to be kept. Slack gives up after three; what is kept later all the same
#: is known when it comes again.
KEEP_SECONDS: Final = 2.5


class Keeper(Protocol):
    """What keeps posts."""

    async def keep(self, post: Kept) -> None:
        """Return once the post is committed.

        Raises:
            StoreError: it is not.
        """


@dataclass(slots=True)
class Door:
    """A source with what is needed to let its posts in, and a count of what it was answered."""

    source: Source
    secrets: tuple[SecretStr, ...]
    bucket: Bucket
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def vendor(self) -> Vendor:
        """Whose rules it follows."""
        return self.source.vendor


def create_app(
    doors: Mapping[str, Door],
    keeper: Keeper,
    *,
    clock: Callable[[], datetime],
    ready: Callable[[], Awaitable[bool]],
    running: Callable[[], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """Make the application.

    Args:
        doors: the sources that may post, by id.
        keeper: what keeps posts.
        clock: the time, aware.
        ready: whether posts can be kept just now.
        running: what is to run for as long as the application does.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if running is None:
            yield
            return
        async with running():
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)

    async def receive(request: Request) -> Response:
        door = doors.get(request.path_params["source"])
        if door is None:
            return refused(None, 404, "not_found", "there is no such source").response()
        answer, told = await _received(door, keeper, request, clock)
        door.tally[told] += 1
        return answer.response()

    # Plain routes: the raw body is what counts, and nothing is to be read out of it here.
    for path in ("/in/{source}", "/in/{source}/api/v1/report"):
        app.add_route(path, receive, methods=["POST"])
    _add_health(app, doors, ready)
    return app


def _add_health(
    app: FastAPI, doors: Mapping[str, Door], ready: Callable[[], Awaitable[bool]]
) -> None:
    """What a load balancer and an operator ask; no business of those who post."""

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readiness() -> Response:
        is_ready = await ready()
        return Answer(200 if is_ready else 503, {"ready": is_ready}).response()

    @app.get("/counts")
    async def counts() -> dict[str, dict[str, int]]:
        return {name: dict(door.tally) for name, door in doors.items()}


async def _received(
    door: Door, keeper: Keeper, request: Request, clock: Callable[[], datetime]
) -> tuple[Answer, str]:
    """The answer to a post, and the word it is counted under."""
    limit = door.source.entry.max_bytes
    try:
        async with asyncio.timeout(READ_SECONDS):
            body = await _body(request, limit)
    except (TimeoutError, ClientDisconnect):
        return refused(door.vendor, 408, "too_slow", "the body did not arrive"), "too_slow"
    if body is None:
        return refused(door.vendor, 413, "too_large", f"{limit:,} bytes are allowed"), "too_large"
    post, now = Post(dict(request.headers), body), clock()
    secrets = [secret.get_secret_value() for secret in door.secrets]
    genuine = check(door.vendor, post, secrets, now)
    if isinstance(genuine, Doubtful):
        message = f"the post is not believed: {genuine.reason}"
        return refused(door.vendor, 401, "unauthentic", message), str(genuine.reason)
    # Only what is genuine counts: a stranger cannot use up what a source may send.
    if wait := door.bucket.take(now.timestamp()):
        return too_fast(door.vendor, wait), "rate_limited"
    return await _kept(keeper, kept(door.source.id, door.vendor, genuine.delivery, post, now))


async def _kept(keeper: Keeper, post: Kept) -> tuple[Answer, str]:
    try:
        async with asyncio.timeout(KEEP_SECONDS):
            await keeper.keep(post)
    except StoreError as error:
        return not_kept(post.vendor, error), "not_kept"
    except TimeoutError:
        slow = StoreError("the store is slow just now", hint="send it again")
        return not_kept(post.vendor, slow), "not_kept"
    return taken(post), "taken"


async def _body(request: Request, limit: int) -> bytes | None:
    """The raw body, or None as soon as it is larger than is allowed."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)
