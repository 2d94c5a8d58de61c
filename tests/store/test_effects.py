"""What people do about effects: each step is in the history, and none happens twice."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from casework.effects import EffectKind
from casework.errors import Conflict, InputError, NotFound, ProviderRefused
from casework.store.effects import discard_effect, retry_effect, want_now
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.sending import LEASE, note_failure
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
