"""The inbox in the store: each post once, in order, and what people do about those that failed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from casework.errors import Conflict, InputError, NotFound
from casework.inbox.posts import Kept, Post, Vendor, kept
from casework.store.engine import reading, transaction
from casework.store.inbox import (
    Handled,
    discard_message,
    held_messages,
    list_messages,
    message_by_id,
    note_failed,
    note_handled,
    number_waiting,
    receive,
    retry_message,
    waiting_messages,
)
from tests.factories.gates import BY, NOW
from tests.factories.intake import actions_in


def post(number: int, source: str = "desk") -> Kept:
    return kept(source, Vendor.ZENDESK, b"%d" % number, Post({}, b'{"n": %d}' % number), NOW)


def received(engine: Engine, *posts: Kept) -> None:
    with transaction(engine) as session:
        receive(session, posts)


def failed(engine: Engine, number: int = 1) -> str:
    """A message that could not be understood; return its id."""
    received(engine, post(number))
    with transaction(engine) as session:
        [message] = held_messages(session, [post(number).id])
        note_failed(session, message, Handled("input", "it has no item.id"), BY, NOW)
    return message.id


def test_posts_wait_in_the_order_they_came(engine: Engine) -> None:
    received(engine, post(3), post(1))
    received(engine, post(2))
    with reading(engine) as session:
        waiting = waiting_messages(session)
        assert [message.body for message in waiting] == [b'{"n": 3}', b'{"n": 1}', b'{"n": 2}']
        assert len(waiting_messages(session, after=waiting[0].number or 0)) == 2
        assert number_waiting(session) == 3


def test_the_same_delivery_is_kept_once_and_counted(engine: Engine) -> None:
    received(engine, post(1), post(1), post(2))
    received(engine, post(1))
    received(engine, post(1, source="another desk"))
    with reading(engine) as session:
        repeats = {m.source + str(m.body): m.repeats for m in list_messages(session)}
    assert sorted(repeats.values()) == [0, 0, 2]


def test_many_writers_at_once_keep_each_post_once(engine: Engine) -> None:
    def write(start: int) -> None:
        received(engine, *(post(number) for number in range(start, start + 20)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [0, 10, 20, 0]))
    with reading(engine) as session:
        assert number_waiting(session) == 40
        assert sum(message.repeats for message in list_messages(session)) == 40


def test_a_message_that_was_read_is_held_by_nobody_again(engine: Engine) -> None:
    received(engine, post(1))
    with transaction(engine) as session:
        held = held_messages(session, [post(1).id])
        note_handled(session, [(held[0], Handled("taken_in", case_id="c1"))], BY, NOW)
    with transaction(engine) as session:
        assert held_messages(session, [post(1).id]) == []
        found = message_by_id(session, post(1).id)
        assert (found.status, found.case_id, found.handled_by) == ("done", "c1", BY.actor)


def test_a_message_that_failed_can_be_read_again(engine: Engine) -> None:
    message = failed(engine)
    with transaction(engine) as session:
        retry_message(session, message, BY, NOW)
    with reading(engine) as session:
        assert [each.id for each in waiting_messages(session)] == [message]
        assert message_by_id(session, message).outcome is None
    assert actions_in(engine, "inbox:desk") == ["inbox.failed", "inbox.retried"]


def test_a_message_that_failed_can_be_given_up_for_a_reason(engine: Engine) -> None:
    message = failed(engine)
    with pytest.raises(InputError), transaction(engine) as session:
        discard_message(session, message, " ", BY, NOW)
    with transaction(engine) as session:
        given_up = discard_message(session, message, "a test of theirs", BY, NOW)
        assert (given_up.status, given_up.outcome) == ("discarded", "input")
    with pytest.raises(Conflict), transaction(engine) as session:
        retry_message(session, message, BY, NOW)


def test_only_what_failed_waits_for_people(engine: Engine) -> None:
    received(engine, post(1))
    with pytest.raises(Conflict, match="waiting"), transaction(engine) as session:
        retry_message(session, post(1).id, BY, NOW)
    with pytest.raises(NotFound), transaction(engine) as session:
        retry_message(session, "m0", BY, NOW)


def test_messages_are_found_by_source_status_and_outcome(engine: Engine) -> None:
    failed(engine, 1)
    received(engine, post(2), post(3, source="other"))
    with reading(engine) as session:
        assert len(list_messages(session)) == 3
        assert [m.outcome for m in list_messages(session, status="failed")] == ["input"]
        assert len(list_messages(session, outcome="input", source="other")) == 0
        assert len(list_messages(session, source="desk", limit=1, offset=1)) == 1
