"""What people do about effects: each step is in the history, and none happens twice."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from casework.effects import EffectKind, Receipt
from casework.errors import Conflict, InputError, NotFound, ProviderRefused
from casework.store.effects import discard_effect, retry_destination, retry_effect, want_now
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.outbox import last_failure
from casework.store.sending import LEASE, note_failure, note_sent
from tests.factories.effects import effect, queue, take
from tests.factories.gates import BY, NOW

KEY = "act:g1:log"
LATER = NOW + timedelta(days=7)


def actions(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return [entry.action for entry in entries_of(session, "c1")]


def dead(engine: Engine) -> None:
    queue(engine, effect(KEY))
    [claimed] = take(engine)
    with transaction(engine) as session:
        note_failure(session, claimed, ProviderRefused("no"), None, BY, NOW)


def test_a_dead_effect_is_tried_again_with_all_its_tries(engine: Engine) -> None:
    dead(engine)
    with transaction(engine) as session:
        retry_effect(session, KEY, BY, NOW)
    [again] = take(engine)
    assert (again.effect.key, again.number, again.failures) == (KEY, 2, 0)
    assert actions(engine)[-1] == "effect.retried"


def test_only_a_dead_effect_is_retried(engine: Engine) -> None:
    queue(engine, effect(KEY))
    with pytest.raises(Conflict), transaction(engine) as session:
        retry_effect(session, KEY, BY, NOW)
    with pytest.raises(NotFound), transaction(engine) as session:
        retry_effect(session, "unknown", BY, NOW)


def test_all_that_failed_at_a_destination_is_due_again_once_it_is_mended(engine: Engine) -> None:
    revoked = ProviderRefused("answered 401", answered=401, hint="check CASEWORK_SLACK_TOKEN")
    queue(engine, effect("a"), effect("b"), effect("c", destination="other"), effect("d"))
    given = take(engine, 2)
    for claimed, again in zip(given, (None, NOW + timedelta(hours=1)), strict=True):
        with transaction(engine) as session:
            note_failure(session, claimed, revoked, again, BY, NOW)
    assert take(engine) == [], "its breaker is open"
    with reading(engine) as session:
        assert last_failure(session, "log") == "answered 401; check CASEWORK_SLACK_TOKEN"
    with transaction(engine) as session:
        assert retry_destination(session, "log", BY, NOW) == 2
        assert retry_destination(session, "log", BY, NOW) == 0
    [first] = take(engine)
    with transaction(engine) as session:
        note_sent(session, first, Receipt(), BY, NOW)
    assert {first.effect.key, *(each.effect.key for each in take(engine))} == {"a", "b", "d"}
    assert actions(engine).count("effect.retried") == 2


def test_what_has_been_undone_is_not_retried_with_its_destination(engine: Engine) -> None:
    dead(engine)
    queue(engine, effect("end", kind=EffectKind.REVERSE, after=KEY))
    [end] = take(engine)
    with transaction(engine) as session:
        note_sent(session, end, Receipt(), BY, NOW)
        assert retry_destination(session, "log", BY, NOW) == 0


def test_an_effect_is_given_up_for_a_reason(engine: Engine) -> None:
    dead(engine)
    with pytest.raises(InputError), transaction(engine) as session:
        discard_effect(session, KEY, " ", BY, NOW)
    with transaction(engine) as session:
        assert discard_effect(session, KEY, "done by hand", BY, NOW).status == "discarded"
    assert actions(engine)[-1] == "effect.discarded"
    assert take(engine, now=LATER) == []


def test_an_effect_in_a_senders_hands_is_not_given_up(engine: Engine) -> None:
    queue(engine, effect(KEY))
    take(engine)
    with pytest.raises(Conflict, match="is being sent"), transaction(engine) as session:
        discard_effect(session, KEY, "too late", BY, NOW)
    with transaction(engine) as session:
        discard_effect(session, KEY, "its sender is gone", BY, NOW + LEASE)


def test_an_end_that_was_to_come_by_itself_is_wanted_now_once(engine: Engine) -> None:
    queue(engine, effect(KEY, kind=EffectKind.REVERSE, not_before=LATER))
    assert take(engine) == []
    with transaction(engine) as session:
        assert want_now(session, KEY, BY, NOW)
        assert not want_now(session, KEY, BY, NOW)
    assert [each.effect.key for each in take(engine)] == [KEY]
    assert actions(engine) == ["effect.queued", "effect.advanced"]
