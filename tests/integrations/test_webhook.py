"""Webhooks out: signed, the same under the same key, over HTTP and at the twin alike."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from casework.effects import Delivery, EffectKind
from casework.errors import (
    ConfigurationError,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from casework.ports import Destination
from integrations.http import HttpService
from integrations.webhook import WebhookDestination, WebhookTwin
from tests.factories.effects import effect
from tests.integrations.server import Asked, Given, serving

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def delivery(key: str = "act:g1:platform", **more: Any) -> Delivery:
    data = {"action": "suspend", "subject_id": "acct_7", "source": "test", "external_id": "T-1"}
    told = effect(key, kind=EffectKind.ACT, destination="platform", data=data)
    return Delivery(told, more.get("text", ""), more.get("link", ""), NOW)


@contextmanager
def over_http(
    answer: Callable[[Asked], Given] = lambda asked: (204, {}, b""),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **more: Any,
) -> Iterator[tuple[WebhookDestination, list[Asked]]]:
    """The client against a real server."""
    with serving(answer) as server:
        url = f"{server.url}/hook?tenant=7"
        service = HttpService(
            name="platform",
            base_url=url,
            token=SecretStr(""),
            timeout=2.0,
            attempts=1,
            concurrency=2,
            **more,
        )
        yield (
            WebhookDestination(
                name="platform", url=url, secret=SecretStr(SECRET), service=service, now=now
            ),
            server.asked,
        )


@contextmanager
def the_client() -> Iterator[tuple[Destination, Callable[[], dict[str, Any]]]]:
    with over_http() as (destination, asked):
        yield (
            destination,
            lambda: {each.headers["webhook-id"]: each.document for each in asked},
        )


@contextmanager
def the_twin() -> Iterator[tuple[Destination, Callable[[], dict[str, Any]]]]:
    twin = WebhookTwin(name="platform")
    yield twin, lambda: twin.done


@pytest.mark.parametrize("far", [the_client, the_twin])
def test_an_effect_arrives_with_all_that_is_needed_to_carry_it_out(far: Any) -> None:
    with far() as (destination, done):

        async def twice() -> list[Any]:
            told = delivery(text="Hello,", link="https://console.example/cases/c1")
            receipts = [await destination.deliver(told) for _ in range(2)]
            receipts.append(await destination.deliver(delivery("act:g2:platform")))
            await destination.close()
            return receipts

        first, again, other = asyncio.run(twice())
        assert destination.name == "platform"
        assert first == again
        assert first != other
        assert done() == {
            "act:g1:platform": {
                "type": "effect.act",
                "timestamp": "2026-03-02T09:30:00.000000Z",
                "data": {
                    "key": "act:g1:platform",
                    "case_id": "c1",
                    "action": "suspend",
                    "subject_id": "acct_7",
                    "source": "test",
                    "external_id": "T-1",
                    "text": "Hello,",
                    "link": "https://console.example/cases/c1",
                },
            },
            "act:g2:platform": done()["act:g2:platform"],
        }


def send(destination: Destination, told: Delivery | None = None) -> Any:
    async def once() -> Any:
        try:
            return await destination.deliver(told or delivery())
        finally:
            await destination.close()

    return asyncio.run(once())


def test_a_webhook_is_signed_so_that_its_receiver_can_check_it() -> None:
    with over_http() as (destination, asked):
        send(destination)
    [sent] = asked
    assert (sent.method, sent.path) == ("POST", "/v1/hook?tenant=7")
    assert sent.headers["content-type"] == "application/json"
    assert Webhook(SECRET).verify(sent.body.decode(), sent.headers) == sent.document
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(sent.body.decode().replace("suspend", "ban"), sent.headers)


def test_the_body_is_the_same_each_time_and_the_signature_as_old_as_its_sending() -> None:
    sent = []
    for minutes in (0, 1):
        moment = NOW + timedelta(minutes=minutes)
        with over_http(now=lambda moment=moment: moment) as (destination, asked):  # type: ignore[misc]
            send(destination)
        sent += asked
    assert sent[0].body == sent[1].body
    first, second = (int(each.headers["webhook-timestamp"]) for each in sent)
    assert second - first == 60
    assert sent[0].headers["webhook-signature"] != sent[1].headers["webhook-signature"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_whatever_a_receiver_says_with_its_thanks_is_not_read(status: int) -> None:
    body = b"" if status == 204 else b"<html>thanks</html>"
    with over_http(lambda asked: (status, {}, body)) as (destination, _):
        assert send(destination).reference == "act:g1:platform"


@pytest.mark.parametrize(
    ("status", "headers", "error", "wait"),
    [
        (429, {"Retry-After": "17"}, RateLimited, 17.0),
        (429, {}, RateLimited, None),
        (503, {"Retry-After": "5"}, ProviderUnavailable, 5.0),
        (500, {}, ProviderUnavailable, None),
        (401, {}, ProviderRefused, None),
        (410, {}, ProviderRefused, None),
        (302, {"Location": "http://elsewhere/"}, ProviderError, None),
    ],
)
def test_a_refusal_is_one_of_our_errors_and_tried_once(
    status: int, headers: dict[str, str], error: type[ProviderError], wait: float | None
) -> None:
    with (
        over_http(lambda asked: (status, headers, b"")) as (destination, asked),
        pytest.raises(error) as refusal,
    ):
        send(destination)
    assert (refusal.value.retry_after, refusal.value.answered) == (wait, status)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ReadTimeout("slow"), ProviderTimeout),
        (httpx.ConnectError("refused"), ProviderUnavailable),
    ],
)
def test_a_network_that_fails_is_one_of_our_errors(
    failure: Exception, error: type[ProviderError]
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise failure

    with (
        over_http(transport=httpx.MockTransport(fail)) as (destination, _),
        pytest.raises(error) as refusal,
    ):
        send(destination)
    assert SECRET not in f"{refusal.value!r} {refusal.value.__cause__!r}"
    assert "tenant" not in refusal.value.message


@pytest.mark.parametrize("secret", ["", "whsec_not base64", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    service = HttpService(
        name="platform",
        base_url="https://platform.example/hook",
        token=SecretStr(""),
        timeout=1.0,
        attempts=1,
        concurrency=1,
    )
    with pytest.raises(ConfigurationError) as refusal:
        WebhookDestination(name="p", url="", secret=SecretStr(secret), service=service)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None
    if secret:
        assert secret not in f"{refusal.value.message} {refusal.value.hint}"
    asyncio.run(service.close())
