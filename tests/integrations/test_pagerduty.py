"""PagerDuty: one alert for each case, over HTTP and at the twin alike, within the contract."""

import asyncio
import gzip
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import SecretStr

from casework.effects import Delivery, EffectKind, veiled
from casework.errors import (
    ConfigurationError,
    ProviderBadReply,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from casework.ports import Destination
from integrations.http import HttpService
from integrations.pagerduty import PagerDutyDestination, PagerDutyTwin, take
from tests.conftest import SHARED_DATA
from tests.factories.effects import effect
from tests.integrations.server import Asked, Given, serving

KEY = "e93facc04764012d7bfb002500d5d1a6"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LINK = "https://console.example/cases/c1"


def delivery(kind: EffectKind, case: str | None = "c1", **more: Any) -> Delivery:
    data = {"severity": "P0", "queue": "child_safety", **more.pop("data", {})}
    told = effect(f"{kind}:{case}", kind=kind, destination="oncall", case_id=case, data=data)
    return Delivery(told, link=LINK, queued_at=NOW, **more)


def accepted(asked: Asked) -> Given:
    key = asked.document.get("dedup_key")
    body = {"status": "success", "message": "Event processed", "dedup_key": key}
    return 202, {"Content-Type": "application/json"}, json.dumps(body).encode()


@contextmanager
def over_http(
    answer: Callable[[Asked], Given] = accepted, options: Mapping[str, Any] | None = None
) -> Iterator[tuple[PagerDutyDestination, list[Asked]]]:
    """The client against a real server."""
    with serving(answer) as server:
        service = HttpService(
            name="oncall",
            base_url=server.url,
            token=SecretStr(""),
            timeout=2.0,
            attempts=1,
            concurrency=2,
        )
        destination = PagerDutyDestination(
            name="oncall", routing_key=SecretStr(KEY), service=service, options=options
        )
        yield destination, server.asked


@contextmanager
def the_client() -> Iterator[tuple[Destination, Callable[[], dict[str, str]]]]:
    """The client, with a PagerDuty behind the server that keeps alerts as it says it does."""
    with over_http() as (destination, asked):

        def alerts() -> dict[str, str]:
            kept: dict[str, str] = {}
            for each in asked:
                take(kept, each.document)
            return kept

        yield destination, alerts


@contextmanager
def the_twin() -> Iterator[tuple[Destination, Callable[[], dict[str, str]]]]:
    twin = PagerDutyTwin(name="oncall")
    yield twin, lambda: twin.alerts


def send(destination: Destination, *deliveries: Delivery) -> list[str | None]:
    async def each() -> list[str | None]:
        try:
            return [(await destination.deliver(one)).reference for one in deliveries]
        finally:
            await destination.close()

    return asyncio.run(each())


PAGE, ACKNOWLEDGE, RESOLVE = EffectKind.PAGE, EffectKind.ACKNOWLEDGE, EffectKind.RESOLVE


@pytest.mark.parametrize("far", [the_client, the_twin])
@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([PAGE], "triggered"),
        ([PAGE, PAGE], "triggered"),
        ([PAGE, ACKNOWLEDGE], "acknowledged"),
        ([PAGE, ACKNOWLEDGE, PAGE], "acknowledged"),
        ([PAGE, RESOLVE, RESOLVE], "resolved"),
        ([PAGE, RESOLVE, ACKNOWLEDGE], "resolved"),
        ([PAGE, RESOLVE, PAGE], "triggered"),
    ],
)
def test_all_that_is_about_a_case_is_one_alert(
    far: Any, kinds: list[EffectKind], expected: str
) -> None:
    with far() as (destination, alerts):
        references = send(destination, *(delivery(kind) for kind in kinds))
        assert set(references) == {"casework:c1"}
        assert alerts() == {"casework:c1": expected}


@pytest.mark.parametrize("far", [the_client, the_twin])
def test_what_is_about_no_case_is_an_alert_of_its_incident(far: Any) -> None:
    with far() as (destination, alerts):
        send(destination, delivery(PAGE, None, data={"incident": "i7"}), delivery(PAGE, None))
        assert alerts() == {"casework:i7": "triggered", "casework:page:None": "triggered"}


@pytest.mark.parametrize("far", [the_client, the_twin])
def test_what_is_about_a_restricted_case_is_one_alert_without_its_name(far: Any) -> None:
    def told(kind: EffectKind, *earlier: str) -> Delivery:
        open_, text = delivery(kind, data={"gate": "gc1-1-1"}), "A restricted case needs somebody"
        return replace(open_, effect=veiled(open_.effect, "r7"), text=text, earlier=earlier)

    with far() as (destination, alerts):
        over = told(RESOLVE, "casework:c1", "casework:r7")
        references = send(destination, told(PAGE), told(ACKNOWLEDGE), delivery(PAGE), over)
        assert references == ["casework:r7", "casework:r7", "casework:c1", "casework:r7"]
        assert alerts() == {"casework:r7": "resolved", "casework:c1": "resolved"}
    with over_http() as (client, asked):
        send(client, told(PAGE))
    payload = asked[0].document["payload"]
    assert payload["summary"] == "A restricted case needs somebody"
    assert "c1" not in str(payload)


@pytest.mark.parametrize("far", [the_client, the_twin])
def test_what_pagerduty_has_no_event_for_is_refused(far: Any) -> None:
    with far() as (destination, _), pytest.raises(ProviderRefused, match="no event for act"):
        send(destination, delivery(EffectKind.ACT))


def test_a_page_says_what_it_is_about_in_ids() -> None:
    with over_http(options={"component": "trust", "group": "safety"}) as (destination, asked):
        send(destination, delivery(PAGE, data={"reporter": "somebody", "gate": "g1"}))
    assert (asked[0].method, asked[0].path) == ("POST", "/v1/enqueue")
    assert asked[0].document == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "casework:c1",
        "client": "Casework",
        "client_url": LINK,
        "links": [{"href": LINK, "text": "Open the case"}],
        "payload": {
            "summary": "Case c1 needs somebody now",
            "severity": "critical",
            "source": "casework",
            "component": "trust",
            "group": "safety",
            "timestamp": "2026-03-02T09:30:00.000000Z",
            "custom_details": {
                "effect": "page:c1",
                "queue": "child_safety",
                "severity": "P0",
                "gate": "g1",
            },
        },
    }


def test_a_macros_text_is_the_summary_as_far_as_it_fits() -> None:
    with over_http() as (destination, asked):
        send(destination, delivery(PAGE, text=f"{'long ' * 400}\n"))
    assert len(asked[0].document["payload"]["summary"]) == 1024


@pytest.mark.data
@pytest.mark.skipif(not SHARED_DATA.exists(), reason="the shared data folder is absent")
@pytest.mark.parametrize("kind", [PAGE, ACKNOWLEDGE, RESOLVE])
def test_what_is_sent_keeps_to_the_published_contract(kind: EffectKind) -> None:
    packed = SHARED_DATA / "api-specs" / "pagerduty-events-v2-openapiv3.json.gz"
    contract = json.loads(gzip.decompress(packed.read_bytes()))
    operation = contract["paths"]["/enqueue"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft7Validator({**schema, "components": contract["components"]})
    with over_http(options={"component": "trust"}) as (destination, asked):
        send(destination, delivery(kind))
    [sent] = asked
    assert list(validator.iter_errors(sent.document)) == []
    assert sent.document.keys() <= schema["properties"].keys()
    payload = contract["components"]["schemas"]["Payload"]["properties"]
    assert sent.document.get("payload", {}).keys() <= payload.keys()
    assert "dedup_key" in sent.document
    assert sent.path.removeprefix("/v1") in contract["paths"]


@pytest.mark.parametrize(
    ("status", "headers", "body", "error", "wait"),
    [
        (429, {"Retry-After": "30"}, b"{}", RateLimited, 30.0),
        (500, {}, b"{}", ProviderUnavailable, None),
        (400, {}, b'{"status": "invalid event"}', ProviderRefused, None),
        (403, {}, b"{}", ProviderRefused, None),
        (202, {}, b"not JSON", ProviderBadReply, None),
        (202, {}, b'{"status": "throttled"}', ProviderBadReply, None),
        (200, {}, b"{}", ProviderBadReply, None),
    ],
)
def test_what_is_not_taken_is_one_of_our_errors_and_tried_once(
    status: int,
    headers: dict[str, str],
    body: bytes,
    error: type[ProviderError],
    wait: float | None,
) -> None:
    with (
        over_http(lambda asked: (status, headers, body)) as (destination, asked),
        pytest.raises(error) as refusal,
    ):
        send(destination, delivery(PAGE))
    assert refusal.value.retry_after == wait
    assert len(asked) == 1
    assert KEY not in f"{refusal.value!r} {refusal.value.__context__!r}"


@pytest.mark.parametrize(
    ("body", "said", "unauthorised"),
    [
        (
            b'{"errors": ["Length of \'routing_key\' is incorrect (should be 32 characters)"]}',
            "does not know the integration key",
            True,
        ),
        (b"Invalid routing key", "does not know the integration key", True),
        (b'{"errors": ["\'payload.severity\' is invalid: <secret>"]}', "valid at severity", False),
        (b"", "finds the event not valid", False),
    ],
)
def test_an_event_that_is_refused_says_whether_it_is_the_key(
    body: bytes, said: str, unauthorised: bool
) -> None:
    with (
        over_http(lambda asked: (400, {}, body)) as (destination, _),
        pytest.raises(ProviderRefused, match=said) as refusal,
    ):
        send(destination, delivery(PAGE))
    assert refusal.value.unauthorised is unauthorised
    assert ("CASEWORK_PAGERDUTY_ROUTING_KEY" in refusal.value.hint) is (said.find("at ") < 0)
    assert "secret" not in refusal.value.message


def test_the_integration_key_reaches_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with over_http(lambda asked: (500, {}, b"")) as (destination, _):
        with caplog.at_level(logging.DEBUG), pytest.raises(ProviderUnavailable):
            send(destination, delivery(PAGE))
        assert KEY not in repr(vars(destination))
    assert KEY not in caplog.text


def test_without_an_integration_key_nobody_can_be_paged() -> None:
    service = HttpService(
        name="oncall",
        base_url="https://events.pagerduty.com/v2",
        token=SecretStr(""),
        timeout=1.0,
        attempts=1,
        concurrency=1,
    )
    with pytest.raises(ConfigurationError, match="ROUTING_KEY is empty"):
        PagerDutyDestination(name="p", routing_key=SecretStr(""), service=service)
    asyncio.run(service.close())
