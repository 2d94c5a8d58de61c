"""Callbacks in Coop's form, over HTTP and embedded, held to its documentation."""

import asyncio
import re
import tarfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from casework.effects import EffectKind
from casework.errors import (
    ConfigurationError,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from integrations.coop import (
    ACTIONS,
    APPEALS,
    Coop,
    CoopClient,
    CoopDestination,
    CoopTwin,
    signing_key,
)
from integrations.credentials import in_header
from tests.conftest import SHARED_DATA
from tests.factories.coop import key_file, rsa_key
from tests.factories.deliveries import delivery
from tests.factories.services import KEY, service
from tests.integrations.server import Asked, Given, Server, serving

DOCUMENTATION = SHARED_DATA / "api-specs" / "roost-coop-api-docs.tar.gz"
ACT = delivery(
    EffectKind.ACT, key="k1", action="suspend_7_days", subject_id="u1", policies=["threats"]
)
REMOVE = delivery(
    EffectKind.ACT, key="k2", action="remove_content", item_id="p9", item_type="post", rule="spam"
)
UNDO = delivery(EffectKind.REVERSE, key="k3", action="reinstate", subject_id="u1")
APPEAL = delivery(
    EffectKind.SET_STATUS,
    key="k4",
    appeal_id="a1",
    appealed_by="u1",
    decision="overturn",
    item_id="p9",
    item_type="post",
)


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return rsa_key()


@contextmanager
def client_of_a_server(key: RSAPrivateKey, twin: CoopTwin) -> Iterator[tuple[Coop, Server | None]]:
    def answer(asked: Asked) -> Given:
        verify(key, asked.body, asked.headers["coop-signature"])
        asyncio.run(twin.send(asked.path.removeprefix("/v1/"), asked.document))
        return 200, {}, b"thank you"

    with serving(answer) as server:
        far_end = service(url=server.url, name="coop", scheme=in_header("X-API-KEY"))
        yield CoopClient(service=far_end, key=key), server


@contextmanager
def twin_itself(key: RSAPrivateKey, twin: CoopTwin) -> Iterator[tuple[Coop, Server | None]]:
    yield twin, None


def verify(key: RSAPrivateKey, body: bytes, header: str) -> None:
    """Check a signature as Coop's documentation tells platforms to."""
    key.public_key().verify(b64decode(header, validate=True), body, PKCS1v15(), SHA256())


async def sent(coop: Coop, *deliveries: Any) -> None:
    destination = CoopDestination(coop=coop, account_type="account")
    for each in deliveries:
        await destination.deliver(each)
    await destination.close()


@pytest.mark.parametrize("given", [client_of_a_server, twin_itself], ids=["http", "twin"])
class TestCoop:
    def test_actions_their_inverses_and_appeals_are_reported(
        self, given: Any, key: RSAPrivateKey
    ) -> None:
        platform = CoopTwin()
        with given(key, platform) as (coop, _):
            asyncio.run(sent(coop, ACT, REMOVE, UNDO, APPEAL))
        assert [endpoint for endpoint, _ in platform.done.values()] == [ACTIONS] * 3 + [APPEALS]
        act, remove, undo, appeal = (body for _, body in platform.done.values())
        assert act["item"] == {"id": "u1", "typeId": "account"}
        assert act["action"] == {"id": "suspend_7_days"}
        assert act["rules"] == []
        assert remove["item"] == {"id": "p9", "typeId": "post"}
        assert remove["rules"] == [{"id": "spam", "name": "spam"}]
        assert undo["custom"]["casework"]["reverses"] is True
        assert (appeal["appealId"], appeal["appealDecision"]) == ("a1", "ACCEPT")
        assert appeal["appealedBy"] == {"id": "u1", "typeId": "account"}

    def test_a_subject_that_is_no_account_has_the_type_that_it_has_there(
        self, given: Any, key: RSAPrivateKey
    ) -> None:
        platform = CoopTwin()
        with given(key, platform) as (coop, _):
            posts = CoopDestination(coop=coop, subject_type="post")
            remove = delivery(EffectKind.ACT, action="remove_content", subject_id="p9")
            asyncio.run(posts.deliver(remove))
        [(_, body)] = platform.done.values()
        assert body["item"] == {"id": "p9", "typeId": "post"}

    def test_a_repetition_bears_the_same_key_and_is_carried_out_once(
        self, given: Any, key: RSAPrivateKey
    ) -> None:
        platform = CoopTwin()
        with given(key, platform) as (coop, _):
            asyncio.run(sent(coop, ACT, ACT))
        assert list(platform.done) == ["k1"]


@pytest.mark.data
@pytest.mark.skipif(not DOCUMENTATION.exists(), reason="the shared data folder is not here")
class TestContract:
    @pytest.mark.parametrize(
        ("effect", "title"),
        [(ACT, "Field reference"), (REMOVE, "Field reference"), (APPEAL, "Appeal callback field")],
    )
    def test_a_callback_has_the_fields_that_coop_documents(self, effect: Any, title: str) -> None:
        with tarfile.open(DOCUMENTATION) as archive:
            page = archive.extractfile("api/actions.md")
            assert page is not None
            section = page.read().decode().split(title)[1].split("\n#")[0]
        # A table under the heading: | `field` | type | Always | ...
        rows = dict(
            re.findall(r"^\| `(\w+)`\s*\|[^|]*\|\s*(Always|Not always)\s*\|", section, re.M)
        )
        platform = CoopTwin()
        asyncio.run(sent(platform, effect))
        [(_, body)] = platform.done.values()
        assert body.keys() <= rows.keys()
        assert {name for name, when in rows.items() if when == "Always"} <= body.keys()


def test_the_signature_is_over_the_bytes_that_are_sent(key: RSAPrivateKey) -> None:
    with client_of_a_server(key, CoopTwin()) as (coop, server):
        asyncio.run(sent(coop, ACT))
    assert server
    [asked] = server.asked
    assert asked.headers["x-api-key"] == KEY
    assert "authorization" not in asked.headers
    verify(key, asked.body, asked.headers["coop-signature"])
    changed = asked.body.replace(b"suspend_7_days", b"suspend_8_days")
    with pytest.raises(InvalidSignature):
        verify(key, changed, asked.headers["coop-signature"])
    assert orjson.loads(asked.body)["custom"]["casework"]["case"] == ACT.effect.case_id


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(401), ProviderRefused),
        (httpx.Response(404), ProviderRefused),
        (httpx.Response(429, headers={"Retry-After": "3600"}), RateLimited),
        (httpx.Response(500), ProviderUnavailable),
        (httpx.Response(504), ProviderTimeout),
    ],
)
def test_every_failure_is_one_of_ours(
    key: RSAPrivateKey, reply: httpx.Response, kind: type[ProviderError]
) -> None:
    client = CoopClient(service=service(lambda request: reply), key=key)
    with pytest.raises(kind):
        asyncio.run(sent(client, ACT))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_whatever_a_platform_says_to_it_a_callback_is_taken(
    key: RSAPrivateKey, status: int
) -> None:
    content = b"" if status == 204 else b"<h1>fine</h1>"
    asked: list[httpx.Request] = []

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, content=content)

    asyncio.run(sent(CoopClient(service=service(answered), key=key), ACT))
    assert len(asked) == 1, "taken at once, and not sent again"


@pytest.mark.parametrize(
    "effect",
    [
        delivery(EffectKind.ACT, subject_id="u1"),
        delivery(EffectKind.ACT, action="warn"),
        delivery(EffectKind.ACT, action="warn", item_id="p9"),
        delivery(EffectKind.SET_STATUS, status="closed"),
        delivery(EffectKind.SET_STATUS, appeal_id="a", appealed_by="u", decision="perhaps"),
    ],
)
def test_an_effect_that_says_too_little_is_refused_for_good(effect: Any) -> None:
    with pytest.raises(ProviderRefused):
        asyncio.run(sent(CoopTwin(), effect))


def test_a_key_is_read_from_its_file(key: RSAPrivateKey, tmp_path: Path) -> None:
    read = signing_key(key_file(tmp_path / "coop.pem", key))
    assert read.private_numbers() == key.private_numbers()


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA"])
def test_a_file_that_holds_no_key_is_refused_without_a_quote(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "coop.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        signing_key(path)
    assert "openssl" in caught.value.hint
    assert "AAAA" not in str(caught.value)


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        signing_key(key_file(tmp_path / "coop.pem", rsa_key(1024)))
