"""Outside systems over HTTP: what fails, how often it is tried, and what an error may say."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from casework.errors import (
    ConfigurationError,
    ProviderBadReply,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from integrations.credentials import basic, in_header
from integrations.failures import error_of, retry_after, status_error
from integrations.http import BREAK_AFTER, HttpService, Reply
from tests.factories.services import KEY, Waits, service
from tests.integrations.server import serving

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
Answer = Callable[[httpx.Request], httpx.Response]


def one_after_another(*replies: httpx.Response | Exception) -> Answer:
    """Answer with each in turn, the last one for ever."""
    waiting = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    return answer


def called(far_end: HttpService, times: int = 1) -> Reply:
    """Call a service, the last time's reply."""

    async def call() -> Reply:
        for _ in range(times):
            reply = await far_end.call("POST", "things", json={"text": "private words"})
        await far_end.close()
        return reply

    return asyncio.run(call())


def httpx_exceptions(kind: type[Exception]) -> Iterable[type[Exception]]:
    """An exception class of httpx and all below it."""
    yield kind
    for child in kind.__subclasses__():
        yield from httpx_exceptions(child)


EVERY_EXCEPTION = sorted(
    {
        each
        for root in (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict)
        for each in httpx_exceptions(root)
    },
    key=lambda each: each.__name__,
)


def made(kind: type[Exception]) -> Exception:
    """One such exception, which speaks of things that no error of ours may."""
    error = kind.__new__(kind)
    Exception.__init__(error, f"https://service.example/{KEY}")
    if isinstance(error, httpx.HTTPStatusError):
        error.response = httpx.Response(503)
    return error


def test_the_list_of_exceptions_is_all_that_httpx_has() -> None:
    public = {
        each
        for each in vars(httpx).values()
        if isinstance(each, type) and issubclass(each, Exception)
    }
    assert public <= set(EVERY_EXCEPTION)


@pytest.mark.parametrize("kind", EVERY_EXCEPTION, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_becomes_an_error_of_ours(kind: type[Exception]) -> None:
    error = error_of("moderation", made(kind))
    assert isinstance(error, ProviderError)
    assert type(error) is not ProviderError
    assert KEY not in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ProviderBadReply),
        (204, ProviderBadReply),
        (400, ProviderRefused),
        (401, ProviderRefused),
        (403, ProviderRefused),
        (404, ProviderRefused),
        (408, ProviderTimeout),
        (429, RateLimited),
        (500, ProviderUnavailable),
        (503, ProviderUnavailable),
        (504, ProviderTimeout),
    ],
)
def test_every_status_has_its_meaning(status: int, kind: type[ProviderError]) -> None:
    error = status_error("moderation", status, httpx.Headers())
    assert type(error) is kind
    assert error.answered == status


def test_a_server_error_is_tried_again() -> None:
    waits = Waits()
    answer = one_after_another(httpx.Response(500), httpx.Response(200, json={"fine": True}))
    assert called(service(answer, sleep=waits)).document == {"fine": True}
    assert len(waits.taken) == 1
    assert 0 < waits.taken[0] <= 0.5


def test_the_service_says_how_long_to_wait() -> None:
    waits = Waits()
    slow_down = httpx.Response(429, headers={"Retry-After": "7"})
    called(service(one_after_another(slow_down, httpx.Response(200, json={})), sleep=waits))
    assert waits.taken == [7.0]


def test_a_wait_longer_than_the_call_may_take_is_not_begun() -> None:
    waits = Waits()
    later = httpx.Response(429, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimited) as caught:
        called(service(one_after_another(later), sleep=waits))
    assert caught.value.retry_after == 3600
    assert waits.taken == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("Mon, 02 Mar 2026 09:31:00 GMT", 60.0),
        ("Mon, 02 Mar 2026 09:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_comes_in_two_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_tries_are_bounded() -> None:
    waits = Waits()
    with pytest.raises(ProviderUnavailable):
        called(service(one_after_another(httpx.Response(503)), sleep=waits, attempts=4))
    assert len(waits.taken) == 3
    assert waits.taken == sorted(waits.taken)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(401), ProviderRefused),
        (httpx.Response(200, content=b"{not json"), ProviderBadReply),
        (httpx.Response(200, content=b'{"score": NaN}'), ProviderBadReply),
        (httpx.Response(200, content=b"[" * 100_000), ProviderBadReply),
        (httpx.Response(200, content=b'"' + b"x" * 9_000 + b'"'), ProviderBadReply),
        (httpx.Response(307, headers={"Location": "https://elsewhere.example"}), ProviderBadReply),
    ],
    ids=["revoked key", "no json", "not a number", "nested deep", "huge", "redirect"],
)
def test_what_trying_again_cannot_help_is_tried_once(
    reply: httpx.Response, kind: type[ProviderError]
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return reply

    with pytest.raises(kind):
        called(service(answer, max_reply=8_000))
    assert asked == ["service.example"]


def test_a_service_that_dribbles_is_given_up() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        return httpx.Response(200, json={})

    with pytest.raises(ProviderTimeout):
        called(service(answer, timeout=0.05, attempts=1))  # type: ignore[arg-type]


def test_a_refused_connection_is_unavailable() -> None:
    with serving(lambda asked: (200, {}, b"{}")) as gone:
        pass
    with pytest.raises(ProviderUnavailable):
        called(service(url=gone.url, attempts=1))


def test_no_error_carries_the_key_or_what_was_asked() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"{request.headers['authorization']} {request.content!r}")

    with pytest.raises(ProviderUnavailable) as caught:
        called(service(answer, attempts=1))
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in repr(error)
        assert "private" not in repr(error)
        error = error.__cause__ or error.__context__


def test_a_service_that_keeps_failing_is_left_alone_for_a_while() -> None:
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(500)

    far_end = service(answer, attempts=1)

    async def call() -> None:
        for _ in range(50):
            with pytest.raises(ProviderUnavailable):
                await far_end.call("GET", "things")
        await far_end.close()

    asyncio.run(call())
    assert asked == BREAK_AFTER


def test_a_revoked_key_is_not_shown_about() -> None:
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(401)

    far_end = service(answer)

    async def call() -> None:
        for _ in range(5):
            with pytest.raises(ProviderError):
                await far_end.call("GET", "things")
        await far_end.close()

    asyncio.run(call())
    assert asked == 1


def test_requests_wait_for_their_turn_and_never_exceed_the_slots() -> None:
    turns, busy, most = 0, 0, 0

    async def turn() -> None:
        nonlocal turns
        turns += 1

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.01)
        busy -= 1
        return httpx.Response(200, json={})

    far_end = service(answer, concurrency=3, limiter=turn)  # type: ignore[arg-type]

    async def call() -> None:
        await asyncio.gather(*(far_end.call("GET", "things") for _ in range(12)))
        await far_end.close()

    asyncio.run(call())
    assert turns == 12
    assert most == 3


@pytest.mark.parametrize(
    "url", ["ftp://service.example", "service.example", "http://service.example/v1", "https://"]
)
def test_a_url_that_would_not_do_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError):
        service(url=url)


@pytest.mark.parametrize(
    ("scheme", "header", "value"),
    [
        (basic("ana@example.com"), "authorization", "Basic YW5hQGV4YW1wbGUuY29tOmtleQ=="),
        (in_header("X-API-KEY"), "x-api-key", "key"),
    ],
)
def test_a_secret_is_shown_as_its_service_wants_it(scheme: Any, header: str, value: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    called(service(answer, key="key", scheme=scheme))
    assert asked[0].headers[header] == value


@pytest.mark.parametrize(
    ("first", "tries"),
    [(httpx.Response(500), 1), (httpx.ReadTimeout("late"), 1), (httpx.Response(429), 2)],
    ids=["server error", "timeout", "not taken"],
)
def test_what_must_not_happen_twice_is_tried_again_only_if_it_was_not_taken(
    first: httpx.Response | Exception, tries: int
) -> None:
    asked = 0
    answer = one_after_another(first, httpx.Response(200, json={}))

    def counted(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return answer(request)

    far_end = service(counted)

    async def call() -> None:
        with suppress(ProviderError):
            await far_end.call("POST", "things", json={}, once=True)
        await far_end.close()

    asyncio.run(call())
    assert asked == tries


def test_bytes_are_sent_as_they_are_with_the_headers_of_the_call() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, content=b"taken, thank you")

    far_end = service(answer)
    body = b'{"b": 1,  "a": 2}'

    async def call() -> Reply:
        signed = {"Signature": "s"}
        reply = await far_end.call(
            "POST", "hook", content=body, headers=signed, accept=(202,), reads=False
        )
        await far_end.close()
        return reply

    assert asyncio.run(call()).document is None
    assert (asked[0].content, asked[0].headers["signature"]) == (body, "s")
    assert asked[0].headers["content-type"] == "application/json"


def test_no_content_is_no_document_where_the_call_allows_it() -> None:
    far_end = service(lambda request: httpx.Response(204))

    async def call() -> Reply:
        reply = await far_end.call("POST", "things", json={}, accept=(204,))
        await far_end.close()
        return reply

    assert asyncio.run(call()).document is None
