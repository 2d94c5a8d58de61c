"""Idempotency keys: the same request is answered once, another one is refused."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from casework.errors import Conflict
from casework.store.engine import transaction
from casework.store.replies import IN_HAND, KEPT, Keyed, begin_reply, drop_reply, keep_reply
from tests.factories.gates import NOW

KEYED = Keyed("t1", "k1", "d1")
SECOND = timedelta(seconds=1)


def begin(engine: Engine, keyed: Keyed = KEYED, after: timedelta = timedelta(0)) -> str | None:
    with transaction(engine) as session:
        found = begin_reply(session, keyed, NOW + after)
        return None if found is None else f"{found.status} {found.body}"


def keep(engine: Engine) -> None:
    with transaction(engine) as session:
        keep_reply(session, KEYED, 200, "done", "application/json", NOW)


def test_a_request_is_answered_once_and_then_from_what_was_kept(engine: Engine) -> None:
    assert begin(engine) is None
    keep(engine)
    assert begin(engine, after=KEPT - SECOND) == "200 done"
    assert begin(engine, after=KEPT) is None, "kept for a day"


def test_the_same_request_twice_at_once_is_a_conflict_until_it_counts_as_lost(
    engine: Engine,
) -> None:
    begin(engine)
    with pytest.raises(Conflict):
        begin(engine, after=IN_HAND - SECOND)
    assert begin(engine, after=IN_HAND) is None


def test_another_request_under_a_used_key_is_refused(engine: Engine) -> None:
    begin(engine)
    keep(engine)
    with pytest.raises(Conflict, match="another request"):
        begin(engine, Keyed("t1", "k1", "d2"))
    assert begin(engine, Keyed("t2", "k1", "d2")) is None, "another's keys are their own"


def test_what_came_to_nothing_can_be_asked_again(engine: Engine) -> None:
    begin(engine)
    with transaction(engine) as session:
        drop_reply(session, KEYED)
    assert begin(engine) is None
