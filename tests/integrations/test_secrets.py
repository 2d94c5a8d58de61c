"""Whatever fails in a connector, no error and no log says its secret or what was sent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from casework.effects import Delivery, EffectKind
from casework.errors import ProviderError
from integrations.coop import CoopClient, CoopDestination
from integrations.credentials import basic, bearer, in_header
from integrations.http import HttpService
from integrations.jira import JiraClient, JiraDestination
from integrations.slack import SlackClient, SlackDestination
from integrations.zendesk import ZendeskClient, ZendeskDestination, ZendeskFeed
from tests.factories.coop import rsa_key
from tests.factories.deliveries import delivery
from tests.factories.services import KEY, service

PRIVATE = "zwetschgendatschi"
SECRETS = (KEY, basic("ana")(KEY)["Authorization"].removeprefix("Basic "))
SHOWN = (*SECRETS, PRIVATE)
SCHEMES = {
    "zendesk": basic("ana"),
    "slack": bearer,
    "jira": basic("ana"),
    "coop": in_header("X-API-KEY"),
}

#: What can come back, or not.
FAILURES: dict[str, httpx.Response | Exception] = {
    **{str(status): httpx.Response(status, text=f"{KEY} {PRIVATE}") for status in (302, 400, 401)},
    **{str(status): httpx.Response(status, text=KEY) for status in (403, 404, 410, 422, 500, 503)},
    "limited": httpx.Response(429, headers={"Retry-After": "3600"}, text=KEY),
    "no json": httpx.Response(200, text=f"{KEY} {PRIVATE}"),
    "other json": httpx.Response(200, json=[KEY, PRIVATE]),
    "other shape": httpx.Response(200, json={"ok": False, "error": f"{KEY} {PRIVATE}"}),
    "timeout": httpx.ReadTimeout(f"{KEY} {PRIVATE}"),
    "no connection": httpx.ConnectError(f"{KEY} {PRIVATE}"),
    "broken off": httpx.RemoteProtocolError(f"{KEY} {PRIVATE}"),
}

Use = Callable[[HttpService, RSAPrivateKey], Awaitable[Any]]


def effect(kind: EffectKind, **data: Any) -> Delivery:
    return delivery(kind, text=PRIVATE, link=f"https://casework.example/{PRIVATE}", **data)


def deliver(make: Callable[[HttpService, RSAPrivateKey], Any], each: Delivery) -> Use:
    async def use(far_end: HttpService, key: RSAPrivateKey) -> None:
        await make(far_end, key).deliver(each)

    return use


async def export(far_end: HttpService, key: RSAPrivateKey) -> None:
    await ZendeskFeed(ZendeskClient(service=far_end), datetime.now(UTC)).page(PRIVATE)


def zendesk(far_end: HttpService, key: RSAPrivateKey) -> ZendeskDestination:
    return ZendeskDestination(zendesk=ZendeskClient(service=far_end))


def slack(far_end: HttpService, key: RSAPrivateKey) -> SlackDestination:
    return SlackDestination(slack=SlackClient(service=far_end), channel="C1")


def jira(far_end: HttpService, key: RSAPrivateKey) -> JiraDestination:
    return JiraDestination(jira=JiraClient(service=far_end), project="SAFE")


def coop(far_end: HttpService, key: RSAPrivateKey) -> CoopDestination:
    return CoopDestination(coop=CoopClient(service=far_end, key=key))


USES: dict[str, Use] = {
    "zendesk export": export,
    "zendesk reply": deliver(zendesk, effect(EffectKind.REPLY, external_id=PRIVATE)),
    "slack notice": deliver(slack, effect(EffectKind.NOTIFY, queue=PRIVATE)),
    "slack update": deliver(slack, effect(EffectKind.RESOLVE, reference=f"C1:{PRIVATE}")),
    "jira issue": deliver(jira, effect(EffectKind.OPEN_ISSUE)),
    "jira comment": deliver(jira, effect(EffectKind.REPLY, issue=PRIVATE)),
    "jira status": deliver(jira, effect(EffectKind.SET_STATUS, issue=PRIVATE, status=PRIVATE)),
    "coop action": deliver(coop, effect(EffectKind.ACT, action="warn", subject_id=PRIVATE)),
}


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return rsa_key()


#: What a platform says to a callback that it has taken is not read, and so is no failure.
TAKEN = {("coop action", failure) for failure in ("no json", "other json", "other shape")}

PAIRS = [(use, failure) for use in USES for failure in FAILURES if (use, failure) not in TAKEN]


@pytest.mark.parametrize(("use", "failure"), PAIRS)
def test_no_error_and_no_log_says_a_secret_or_what_was_sent(
    use: str, failure: str, key: RSAPrivateKey, caplog: pytest.LogCaptureFixture
) -> None:
    reply = FAILURES[failure]

    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        return reply

    system = use.split()[0]
    far_end = service(answer, name=system, scheme=SCHEMES[system])
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError) as caught:
        asyncio.run(USES[use](far_end, key))
    error: BaseException | None = caught.value
    while error is not None:
        told = f"{error!r} {error.args} {getattr(error, 'hint', '')}"
        assert not [secret for secret in SHOWN if secret in told]
        error = error.__cause__ or error.__context__
    logged = "".join(each.getMessage() for each in caplog.records)
    assert not [secret for secret in SECRETS if secret in logged]
    # httpx's own line for a request, which Prefect does not keep, names the path.
    ours = "".join(each.getMessage() for each in caplog.records if not each.name.startswith("http"))
    assert PRIVATE not in ours
