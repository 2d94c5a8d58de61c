"""Asking outside systems over HTTP: limits, tries, and every failure as one of our errors.

No error made here holds a URL's path, a header or a body: those carry credentials and content.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeAlias

import httpx
import orjson
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
)

from casework.errors import ProviderBadReply, ProviderError, ProviderUnavailable, RateLimited
from integrations.credentials import Scheme, bearer, checked_url
from integrations.failures import error_of, status_error

#: Waits for the turn of one request, as the rate limit of the service has it.
Limiter: TypeAlias = Callable[[], Awaitable[None]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

#: Bytes of a reply that are read at the most.
MAX_REPLY: Final = 8 * 1024 * 1024

#: Seconds of the first and of the longest wait between tries; each is jittered.
FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 20.0

#: Failed calls in a row after which a service is left alone, and for how many seconds.
BREAK_AFTER: Final = 5
BREAK_FOR: Final = 30.0

_FAILURES: Final = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    OSError,  # a TimeoutError too
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer the call accepts: its status, and its JSON document.

    Of an error that the call wants explained it is the text, whatever its form.
    """

    status: int
    document: Any
    latency_ms: int


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, each time it is tried."""

    method: str
    path: str
    content: bytes | None
    headers: Mapping[str, str]
    accept: tuple[int, ...]
    explain: tuple[int, ...]
    reads: bool


async def no_limit() -> None:
    """Let every request go at once."""


class HttpService:
    """One outside system that speaks JSON over HTTP.

    Redirects are not followed, and certificates are verified.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        token: SecretStr,
        timeout: float,
        attempts: int,
        concurrency: int,
        scheme: Scheme = bearer,
        limiter: Limiter = no_limit,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
        max_reply: int = MAX_REPLY,
        secret_setting: str = "",
    ) -> None:
        """Prepare to talk to the service below ``base_url``; nothing is sent yet.

        ``timeout`` is in seconds and holds for each try as a whole. All tries of one call
        together, with the waits between them, take ``timeout * attempts`` at the most.
        ``secret_setting`` is where an operator puts the secret, for hints.

        Raises:
            ConfigurationError: the URL cannot be used, or would send the token in clear.
        """
        self.name, self._secret_setting = name, secret_setting
        self._timeout, self._attempts, self._max_reply = timeout, attempts, max_reply
        self._limiter, self._sleep = limiter, sleep
        self._slots = asyncio.Semaphore(concurrency)
        self._failed, self._closed_until = 0, 0.0
        secret = token.get_secret_value()
        self._client = httpx.AsyncClient(
            base_url=checked_url(name, base_url, bool(secret)),
            headers={"Accept": "application/json", **(scheme(secret) if secret else {})},
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=concurrency),
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (200,),
        explain: tuple[int, ...] = (),
        once: bool = False,
        reads: bool = True,
    ) -> Reply:
        """Make one call, trying again where that can help.

        ``json`` is sent as JSON, ``content`` as the JSON that it already is. A call that must not
        happen twice is made ``once``: it is tried again only where the service said 429, and so
        did not take it. Without ``reads`` a reply may be anything, and none of it is kept. A
        status to ``explain`` is an error whose text says why: the caller makes an error of it.

        Raises:
            ProviderError: how it failed in the end.
        """
        body = orjson.dumps(json) if json is not None else content
        kind = {} if body is None else {"Content-Type": "application/json"}
        request = _Request(
            method, path, body, {**kind, **(headers or {})}, (*accept, *explain), explain, reads
        )
        async with self._slots:
            self._refuse_if_broken()
            try:
                reply = await self._tried(request, _was_not_taken if once else _is_transient)
            except ProviderError as error:
                self._note_failure(error)
                raise
            self._failed = 0
            return reply

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _tried(self, request: _Request, again: Callable[[BaseException], bool]) -> Reply:
        tries = AsyncRetrying(
            retry=retry_if_exception(again),
            stop=stop_after_attempt(self._attempts)
            | stop_before_delay(self._timeout * self._attempts),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        reply: Reply = await tries(self._once, request)
        return reply

    async def _once(self, request: _Request) -> Reply:
        await self._limiter()
        began = monotonic()
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(
                    request.method, request.path, content=request.content, headers=request.headers
                ) as response,
            ):
                if response.status_code not in request.accept:
                    raise status_error(
                        self.name, response.status_code, response.headers, self._secret_setting
                    )
                body = await self._body(response) if request.reads else b""
        except _FAILURES as error:
            failure = error_of(self.name, error)
        else:
            latency = round((monotonic() - began) * 1000)
            status = response.status_code
            if status in request.explain:
                return Reply(status, body.decode("utf-8", "replace"), latency)
            told = request.reads and status < 300 and status != httpx.codes.NO_CONTENT
            return Reply(status, _document(self.name, body) if told else None, latency)
        # Outside the handler: httpx's own error holds the request, with its headers and URL.
        raise failure

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._max_reply:
                raise ProviderBadReply(f"{self.name} answered with more than it may")
        return bytes(body)

    def _refuse_if_broken(self) -> None:
        if monotonic() < self._closed_until:
            raise ProviderUnavailable(f"{self.name} has failed too often to be asked again now")

    def _note_failure(self, error: ProviderError) -> None:
        """Leave a service alone for a while that is down, or that knows us no more."""
        if not (error.transient or error.unauthorised):
            self._failed = 0
            return
        self._failed += 1
        if self._failed >= BREAK_AFTER or error.unauthorised:
            self._failed, self._closed_until = 0, monotonic() + BREAK_FOR


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, ProviderError) and error.transient


def _was_not_taken(error: BaseException) -> bool:
    return isinstance(error, RateLimited)


def _wait(state: RetryCallState) -> float:
    """Wait as long as the service says, or else longer each time, with full jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ProviderError) and error.retry_after is not None:
        return error.retry_after
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (state.attempt_number - 1))
    return float(longest * (0.5 + random.random() / 2))


def _document(name: str, body: bytes) -> Any:
    # Raised outside the handler: the decoder's error holds the whole document.
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(body)
    raise ProviderBadReply(f"{name} answered with something that is not JSON")
