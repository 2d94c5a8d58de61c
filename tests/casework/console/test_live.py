"""News for open pages: who is told of what, with how many looks, and until when."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from casework.accounts import fingerprint
from casework.console.live import SESSIONS_EVERY, Kind, Listener, Live
from casework.ledger.entries import Action
from casework.store.accounts import end_sessions, open_session
from casework.store.assignment import claim
from casework.store.engine import reading, transaction
from casework.store.news import News, newest_entry
from casework.store.restrictions import restrict
from tests.casework.console.asking import case_of
from tests.casework.console.conftest import SignIn
from tests.factories.escalation import LEASE, person
from tests.factories.gates import BY, NOW, waiting_case

#: Seconds between looks, and until a test gives up.
SOON, PATIENCE = 0.01, 20.0


def news(action: Action, **more: Any) -> News:
    given = {"case_id": "c1", "actor": "ben", "queue": "general", "restricted": False, **more}
    return News(1, action=action, **given)


def test_a_case_is_told_what_others_do_and_a_list_what_concerns_its_queues() -> None:
    case = Listener("ana", "s", case_id="c1")
    queue = Listener("ana", "s", queues=frozenset({"general"}))
    decided = news(Action.GATE_DECIDED)
    assert case.kinds([decided, news(Action.GATE_ANSWERED)]) == [Kind.DECIDED], "once"
    assert case.kinds([news(Action.GATE_DECIDED, actor="ana")]) == [], "ana knows"
    assert case.kinds([news(Action.GATE_DECIDED, case_id="c2")]) == []
    assert case.kinds([news(Action.CASE_REVISED), news(Action.GATE_HELD)]) == ["revised", "moved"]
    done = news(Action.GATE_CARRIED_OUT, actor="casework:case_review")
    assert case.kinds([done]) == [Kind.CARRIED_OUT]
    assert queue.kinds([done]) == [], "it is off the list since it was decided"
    assert queue.kinds([decided]) == [Kind.QUEUE]
    assert queue.kinds([news(Action.GATE_DECIDED, queue="legal")]) == []
    assert queue.kinds([news(Action.GATE_HANDED_OVER, queue="legal")]) == [Kind.QUEUE]
    assert queue.kinds([news(Action.GATE_DECIDED, restricted=True)]) == [], "not even that"


class Counting(Live):
    """Counts its looks."""

    looks = 0

    async def _tell_news(self) -> None:
        self.looks += 1
        await super()._tell_news()


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    run: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        run.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield run
    event.remove(engine, "before_cursor_execute", note)


async def events(stream: AsyncIterator[str], number: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for each in stream:
            if each.startswith("event"):
                found.append(each)
            if len(found) == number:
                break
    return found


def here(engine: Engine) -> int:
    with reading(engine) as session:
        return newest_entry(session)


def session_of(engine: Engine, who: str) -> str:
    with transaction(engine) as session:
        return fingerprint(open_session(session, who, BY, NOW))


@pytest.mark.anyio
async def test_all_who_listen_share_one_look_and_are_told_alike(engine: Engine, gate: str) -> None:
    live, case = Counting(engine, lambda: NOW, SOON), case_of(engine, gate)
    signed, since = session_of(engine, "ana"), here(engine)
    pages = [Listener("ana", signed, case_id=case) for _ in range(20)]
    streams = [live.listen(each, since) for each in pages]
    told = [asyncio.create_task(events(each, 1)) for each in streams]
    while live.looks < 3:
        await asyncio.sleep(SOON)
    with statements(engine) as run:
        before = live.looks
        while live.looks < before + 5:
            await asyncio.sleep(SOON)
    asked = [each for each in run if each.startswith("SELECT")]
    assert len(asked) <= live.looks - before + 1, "one for all twenty, not one for each"
    with transaction(engine) as session:
        claim(session, gate, LEASE, person("ben"), NOW)
    assert await asyncio.gather(*told) == [["event: changed\ndata: claim\n\n"]] * 20
    for each in streams:
        await each.aclose()


@pytest.mark.anyio
async def test_what_happened_while_the_page_was_on_its_way_is_told_too(
    engine: Engine, gate: str
) -> None:
    live, since = Live(engine, lambda: NOW, SOON), here(engine)
    with transaction(engine) as session:
        claim(session, gate, LEASE, person("ben"), NOW)
    listener = Listener("ana", session_of(engine, "ana"), case_id=case_of(engine, gate))
    async with aclosing(live.listen(listener, since)) as stream:
        assert await events(stream, 1) == ["event: changed\ndata: claim\n\n"]
    later = Listener("ana", listener.session, case_id=listener.case_id)
    async with aclosing(live.listen(later, here(engine))) as stream:
        await anext(stream)
        await asyncio.sleep(SOON * 5)
        assert later.told.empty(), "what the page shows already is no news"


@pytest.mark.anyio
@pytest.mark.parametrize("ends", ["revoked", "unused"])
async def test_a_stream_ends_with_its_session(engine: Engine, gate: str, ends: str) -> None:
    moments = [NOW]
    live = Live(engine, lambda: moments[-1], SOON)
    listener = Listener("ana", session_of(engine, "ana"), queues=frozenset({"general"}))
    async with aclosing(live.listen(listener, here(engine))) as stream:
        await anext(stream)
        await asyncio.sleep(SOON * SESSIONS_EVERY * 2)
        assert listener.told.empty(), "while the session goes on"
        if ends == "revoked":
            with transaction(engine) as session:
                end_sessions(session, "ana", BY, NOW)
        else:
            moments.append(NOW + timedelta(hours=1))
        assert await events(stream, 1) == ["event: ended\ndata: ended\n\n"]
        assert [each async for each in stream] == []


@pytest.mark.anyio
async def test_who_is_kept_out_of_a_case_is_told_no_more_of_it(engine: Engine, gate: str) -> None:
    live, case = Live(engine, lambda: NOW, SOON), case_of(engine, gate)
    listener = Listener("ana", session_of(engine, "ana"), case_id=case)
    async with aclosing(live.listen(listener, here(engine))) as stream:
        await anext(stream)
        with transaction(engine) as session:
            restrict(session, case, ["ben"], "because", BY, NOW, operating=True)
        async with asyncio.timeout(PATIENCE):
            assert [each async for each in stream] == []


def test_nobody_listens_to_what_they_may_not_see(
    signed_in: SignIn, engine: Engine, gate: str, now: datetime
) -> None:
    lea = signed_in("lea")
    for asked, status in (
        (f"case={case_of(engine, gate)}", 404),
        ("case=c0", 404),
        ("queue=general", 404),
        ("", 422),
    ):
        assert lea.get(f"/events?{asked}").status_code == status
    waiting_case(engine, "T-2")
    assert f"/events?case={case_of(engine, gate)}" in signed_in("ana").get(
        f"/cases/{case_of(engine, gate)}"
    ).text.replace("&amp;", "&")
