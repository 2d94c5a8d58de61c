"""The receiver: what is let in, what it is answered, and what is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from casework.errors import StoreError
from casework.inbox.load import load_sources
from casework.inbox.posts import Kept, Post, Vendor
from casework.rate import Bucket
from deployments.receiver.app import Door, create_app
from deployments.receiver.writer import GroupWriter
from tests.factories.posts import NOW, inbox_file, secret_of, signed, source

MAPPING = "fields:\n  external_id: {from: id, required: true}\n  body: text\n"


class Shelf:
    """A keeper in memory, which can be out of order."""

    def __init__(self) -> None:
        self.posts: list[Kept] = []
        self.error: Exception | None = None

    async def keep(self, post: Kept) -> None:
        """Keep a post, or fail as the store does."""
        if self.error:
            raise self.error
        self.posts.append(post)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def doors(folder: Path, **options: Any) -> dict[str, Door]:
    """A door for every vendor, called as the vendor is."""
    (folder / "mapping.yaml").write_text(MAPPING)
    mapped = {Vendor.ZENDESK, Vendor.GITHUB, Vendor.COOP_REPORTS}
    entries = {
        vendor.value: source(
            vendor, folder, **options, **({"mapping": "mapping.yaml"} if vendor in mapped else {})
        )
        for vendor in Vendor
    }
    found = load_sources(inbox_file(folder, **entries))
    return {
        name: Door(
            each,
            (SecretStr(secret_of(each.vendor)),),
            Bucket(each.entry.rate, each.entry.burst),
        )
        for name, each in found.items()
    }


class Receiver:
    """The application with what stands around it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.shelf, self.clock, self.is_ready = Shelf(), Clock(), True
        self.doors = doors(folder, **options)
        app = create_app(self.doors, self.shelf, clock=self.clock, ready=self._ready)
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://receiver")

    async def _ready(self) -> bool:
        return self.is_ready

    async def post(self, source: str, post: Post, path: str = "") -> httpx.Response:
        """Send a post to a source's address."""
        return await self._client.post(
            f"/in/{source}{path}", headers=dict(post.headers), content=post.body
        )

    async def get(self, path: str) -> httpx.Response:
        """Ask for something."""
        return await self._client.get(path)


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    """A receiver with a source for every vendor."""
    return Receiver(tmp_path)


@pytest.mark.parametrize("vendor", list(Vendor))
async def test_a_signed_post_is_kept_with_its_raw_body(receiver: Receiver, vendor: Vendor) -> None:
    body = b'{ "id" : "T-1",  "text":"as it was" }'
    answer = await receiver.post(vendor.value, signed(vendor, body))
    assert answer.status_code == (201 if vendor is Vendor.COOP_REPORTS else 200)
    [kept] = receiver.shelf.posts
    assert (kept.body, kept.source, kept.vendor) == (body, vendor.value, vendor)
    assert kept.headers == {"content-type": "application/json"}, "no signature, no key"
    assert receiver.doors[vendor.value].tally == {"taken": 1}


@pytest.mark.parametrize("vendor", list(Vendor))
async def test_a_post_with_a_wrong_signature_is_refused(receiver: Receiver, vendor: Vendor) -> None:
    post = signed(vendor, b'{"secret": "text"}')
    name = next(name for name in post.headers if "signature" in name or name == "x-api-key")
    forged = Post({**post.headers, name: post.headers[name][:-2] + "zz"}, post.body)
    answer = await receiver.post(vendor.value, forged)
    assert answer.status_code == 401
    assert "text" not in answer.text
    assert receiver.shelf.posts == []


async def test_an_unknown_source_is_not_found(receiver: Receiver) -> None:
    answer = await receiver.post("nobody", signed(Vendor.SLACK, b"{}"))
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


async def test_an_old_post_is_refused(receiver: Receiver) -> None:
    receiver.clock.now += timedelta(minutes=6)
    answer = await receiver.post("zendesk", signed(Vendor.ZENDESK, b"{}"))
    assert answer.status_code == 401
    assert receiver.doors["zendesk"].tally == {"too_old": 1}


async def test_a_body_that_is_too_large_is_refused_with_or_without_its_length(
    tmp_path: Path,
) -> None:
    receiver = Receiver(tmp_path, max_bytes=100)
    body = b'{"x": "' + b"y" * 200 + b'"}'
    assert (await receiver.post("jira", signed(Vendor.JIRA, body))).status_code == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"y" * 10

    answer = await receiver._client.post("/in/jira", content=pieces())
    assert answer.status_code == 413
    assert receiver.doors["jira"].tally == {"too_large": 2}
    assert receiver.shelf.posts == []


async def test_a_source_that_posts_too_fast_is_told_when_to_try_again(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, rate=0.5, burst=2)
    answers = [
        (await receiver.post("jira", signed(Vendor.JIRA, b"%d" % number))) for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "2"
    receiver.clock.now += timedelta(seconds=2)
    assert (await receiver.post("jira", signed(Vendor.JIRA, b"2"))).status_code == 200


async def test_a_stranger_uses_up_nothing_of_what_a_source_may_send(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, rate=0.5, burst=1)
    for _ in range(5):
        assert (await receiver.post("jira", Post({}, b"{}"))).status_code == 401
    assert (await receiver.post("jira", signed(Vendor.JIRA, b"{}"))).status_code == 200


async def test_a_post_that_cannot_be_kept_is_to_be_sent_again(receiver: Receiver) -> None:
    receiver.shelf.error = StoreError("the store does not answer", hint="look at it")
    answer = await receiver.post("pagerduty", signed(Vendor.PAGERDUTY, b"{}"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_slack_is_answered_with_nothing_but_its_challenge(receiver: Receiver) -> None:
    click = await receiver.post("slack", signed(Vendor.SLACK, b"payload=%7B%7D"))
    assert (click.status_code, click.content) == (200, b"")
    body = b'{"type": "url_verification", "challenge": "3eZbrw1a"}'
    asked = await receiver.post("slack", signed(Vendor.SLACK, body))
    assert asked.json() == {"challenge": "3eZbrw1a"}


async def test_coops_clients_get_what_its_api_promises(receiver: Receiver) -> None:
    post = signed(Vendor.COOP_REPORTS, b'{"reportedItem": {}}')
    answer = await receiver.post("coop_reports", post, "/api/v1/report")
    assert answer.status_code == 201
    assert answer.json() == {"reportId": receiver.shelf.posts[0].id}
    refusal = await receiver.post("coop_reports", Post({"x-api-key": "wrong"}, b"{}"))
    assert refusal.status_code == 401
    [error] = refusal.json()["errors"]
    assert {"status", "type", "title"} <= error.keys()


async def test_health_and_readiness_are_two_questions(receiver: Receiver) -> None:
    assert (await receiver.get("/healthz")).json() == {"status": "ok"}
    assert (await receiver.get("/readyz")).status_code == 200
    receiver.is_ready = False
    assert (await receiver.get("/readyz")).status_code == 503
    assert (await receiver.get("/healthz")).status_code == 200
    assert (await receiver.get("/docs")).status_code == 404


async def test_nothing_of_a_post_is_logged(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    receiver.shelf.error = StoreError("gone")
    await receiver.post("slack", signed(Vendor.SLACK, b"payload=geheim"))
    await receiver.post("slack", Post({"x-slack-signature": "v0=geheim"}, b"geheim"))
    assert "geheim" not in caplog.text


def kept_post(number: int) -> Kept:
    return Kept(f"m{number}", "test", Vendor.JIRA, {}, b"{}", NOW)


@asynccontextmanager
async def writing(
    write: Callable[[Sequence[Kept]], None], **limits: int
) -> AsyncIterator[GroupWriter]:
    """A writer for as long as the test needs one."""
    writer = GroupWriter(write, **limits)
    writer.start()
    try:
        yield writer
    finally:
        await asyncio.to_thread(writer.close)


async def outcomes(keeping: Sequence[Awaitable[None]]) -> list[bool]:
    """Whether each was kept."""
    found = await asyncio.gather(*keeping, return_exceptions=True)
    assert all(each is None or isinstance(each, StoreError) for each in found)
    return [each is None for each in found]


async def test_posts_that_come_together_are_written_together() -> None:
    groups: list[int] = []
    async with writing(lambda posts: groups.append(len(posts)), group=50) as writer:
        assert all(await outcomes([writer.keep(kept_post(number)) for number in range(200)]))
    assert sum(groups) == 200
    assert max(groups) <= 50
    assert len(groups) < 100


async def test_one_post_that_the_store_refuses_costs_no_other() -> None:
    written: list[str] = []

    def write(posts: Sequence[Kept]) -> None:
        if any(post.id == "m3" for post in posts):
            raise ValueError("geheim")
        written.extend(post.id for post in posts)

    async with writing(write) as writer:
        found = await outcomes([writer.keep(kept_post(number)) for number in range(6)])
    assert [number for number, fine in enumerate(found) if not fine] == [3]
    assert sorted(written) == ["m0", "m1", "m2", "m4", "m5"]


async def test_a_store_that_is_gone_fails_each_post_and_the_next_may_succeed() -> None:
    gone = True

    def write(posts: Sequence[Kept]) -> None:
        if gone:
            raise StoreError("gone")

    async with writing(write) as writer:
        assert (
            await outcomes([writer.keep(kept_post(number)) for number in range(3)]) == [False] * 3
        )
        gone = False
        assert await outcomes([writer.keep(kept_post(4))]) == [True]


async def test_more_posts_than_may_wait_are_turned_away_at_once() -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(posts: Sequence[Kept]) -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    async with writing(write, group=1, limit=2) as writer:
        keeping = [asyncio.ensure_future(writer.keep(kept_post(number))) for number in range(6)]
        await asyncio.sleep(0.05)
        turned_away = [each for each in keeping if each.done() and each.exception()]
        release.set()
        assert 3 <= len(turned_away) <= 4
        await asyncio.gather(*keeping, return_exceptions=True)


async def test_what_was_handed_in_is_written_before_the_writer_stops() -> None:
    written: list[str] = []
    async with writing(lambda posts: written.extend(post.id for post in posts)) as writer:
        keeping = [asyncio.ensure_future(writer.keep(kept_post(number))) for number in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*keeping)
    assert len(written) == 20
    with pytest.raises(StoreError):
        await writer.keep(kept_post(99))


def test_a_bucket_allows_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(rate=2, burst=3)
    assert [bucket.take(100.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(100.5) == 0
    assert bucket.take(90.0) > 0, "a clock that is set back fills nothing"
