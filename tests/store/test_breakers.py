"""Breakers in the store: what one sender finds, the others know."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Engine

from casework.breaker import FIRST_REST, OPEN_AFTER, Breaker
from casework.effects import Receipt
from casework.errors import ProviderUnavailable
from casework.ledger.entries import SYSTEM
from casework.store.breakers import breaker_of, breakers, heed_failure, heed_success
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.sending import LEASE, note_failure, note_sent
from tests.factories.effects import effect, queue, take
from tests.factories.gates import BY, NOW

DOWN = ProviderUnavailable("down")


def fail(engine: Engine, times: int, now: datetime = NOW) -> None:
    for _ in range(times):
        with transaction(engine) as session:
            heed_failure(session, "log", DOWN, now, BY, now)


def told(engine: Engine) -> list[str]:
    with reading(engine) as session:
        entries = entries_of(session, SYSTEM)
    return [each.action for each in entries if each.action.startswith("breaker.")]


def test_a_breaker_that_opens_stops_every_sender(engine: Engine) -> None:
    queue(engine, *(effect(f"e{number}") for number in range(3)))
    fail(engine, OPEN_AFTER)
    assert take(engine) == []
    assert told(engine) == ["breaker.opened"]


def test_after_a_rest_one_effect_tries_and_the_others_wait_for_it(engine: Engine) -> None:
    queue(engine, *(effect(f"e{number}") for number in range(3)))
    fail(engine, OPEN_AFTER)
    rested = NOW + FIRST_REST
    [tried] = take(engine, now=rested)
    assert take(engine, now=rested) == []
    with transaction(engine) as session:
        note_sent(session, tried, Receipt(), BY, rested)
    assert len(take(engine, now=rested)) == 2
    assert told(engine) == ["breaker.opened", "breaker.closed"]


def test_a_try_that_fails_rests_longer_and_is_no_news(engine: Engine) -> None:
    queue(engine, effect())
    fail(engine, OPEN_AFTER)
    rested = NOW + FIRST_REST
    [tried] = take(engine, now=rested)
    with transaction(engine) as session:
        note_failure(session, tried, DOWN, rested, BY, rested)
    assert take(engine, now=rested + FIRST_REST) == []
    assert len(take(engine, now=rested + 2 * FIRST_REST)) == 1
    assert told(engine) == ["breaker.opened"]


def test_when_the_sender_that_tries_is_killed_another_one_tries(engine: Engine) -> None:
    queue(engine, effect("a"), effect("b"))
    fail(engine, OPEN_AFTER)
    rested = NOW + FIRST_REST
    assert len(take(engine, now=rested)) == 1
    assert len(take(engine, now=rested + LEASE)) == 1


def test_failures_of_many_senders_at_once_all_count(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fail(engine, 1), range(OPEN_AFTER - 1)))
    with reading(engine) as session:
        assert breaker_of(session, "log") == Breaker(OPEN_AFTER - 1)
        assert breakers(session) == {"log": Breaker(OPEN_AFTER - 1)}
        assert breaker_of(session, "other") == Breaker()


def test_a_success_ends_the_row_of_failures(engine: Engine) -> None:
    fail(engine, OPEN_AFTER - 1)
    with transaction(engine) as session:
        heed_success(session, "log", BY, NOW)
    fail(engine, OPEN_AFTER - 1, NOW + timedelta(minutes=1))
    assert told(engine) == []
