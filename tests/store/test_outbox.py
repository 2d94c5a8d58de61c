"""The outbox: written once, with its cause, and leased to one sender at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from casework.effects import EffectKind, EffectStatus, Receipt
from casework.errors import NotFound, ProviderRefused, ProviderUnavailable
from casework.ledger.entries import SYSTEM
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.outbox import (
    attempts_of,
    effect_by_key,
    enqueue,
    list_effects,
)
from casework.store.sending import LEASE, Claimed, claim, due_destinations, note_failure, note_sent
from casework.store.tables import QueuedEffect
from tests.factories.effects import effect, queue, take
from tests.factories.gates import BY, NOW

LATER = NOW + timedelta(hours=1)


def actions(engine: Engine, chain: str = "c1") -> list[str]:
    with reading(engine) as session:
        return [entry.action for entry in entries_of(session, chain)]


def found(engine: Engine, key: str = "act:g1:log") -> QueuedEffect:
    with reading(engine) as session:
        return effect_by_key(session, key)


def sent(engine: Engine, claimed: Claimed, reference: str | None = None) -> bool:
    with transaction(engine) as session:
        return note_sent(session, claimed, Receipt(reference), BY, NOW)


def test_an_effect_is_queued_once_however_often_it_is_asked_for(engine: Engine) -> None:
    assert queue(engine, effect(), effect(), effect("reply:g1:log")) == 2
    assert queue(engine, effect()) == 0
    assert actions(engine) == ["effect.queued", "effect.queued"]


def test_writers_of_the_same_effect_at_once_queue_it_once(engine: Engine) -> None:
    pair = [effect("a"), effect("b")]
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda order: queue(engine, *pair[::order]), [1, -1, 1, -1])
    assert sum(made) == 2
    assert actions(engine).count("effect.queued") == 2


def test_an_effect_whose_cause_is_undone_is_not_queued(engine: Engine) -> None:
    def queue_and_fail() -> None:
        with transaction(engine) as session:
            enqueue(session, [effect()], BY, NOW)
            effect_by_key(session, "unknown")

    with pytest.raises(NotFound):
        queue_and_fail()
    assert take(engine) == []
    assert actions(engine) == []


def test_an_effect_about_no_case_is_in_the_history_of_the_system(engine: Engine) -> None:
    queue(engine, effect(case_id=None))
    assert actions(engine, SYSTEM) == ["effect.queued"]


def test_the_history_carries_the_digest_of_what_an_effect_says(engine: Engine) -> None:
    queue(engine, effect(data={"macro": "warning"}, not_before=LATER))
    with reading(engine) as session:
        [entry] = entries_of(session, "c1")
    assert "warning" not in entry.body
    assert "data_digest" in entry.body
    assert '"not_before":"2026-03-02T10:30:00.000000Z"' in entry.body


def test_what_is_due_is_given_to_one_sender_the_longest_due_first(engine: Engine) -> None:
    queue(engine, effect("second"), now=NOW)
    queue(engine, effect("first"), now=NOW - timedelta(minutes=1))
    assert [each.effect.key for each in take(engine, 1)] == ["first"]
    assert [each.effect.key for each in take(engine)] == ["second"]
    assert take(engine) == []


def test_senders_at_once_take_each_effect_once(engine: Engine) -> None:
    queue(engine, *(effect(f"e{number:02}") for number in range(20)))
    with ThreadPoolExecutor(4) as pool:
        taken = [each for some in pool.map(lambda _: take(engine, 5), range(4)) for each in some]
    keys = [each.effect.key for each in taken]
    assert len(keys) == len(set(keys))
    assert sorted([*keys, *(each.effect.key for each in take(engine, 20))]) == [
        f"e{number:02}" for number in range(20)
    ]


def test_an_effect_with_a_time_waits_for_it(engine: Engine) -> None:
    queue(engine, effect(not_before=LATER))
    assert take(engine) == []
    assert [each.effect.not_before for each in take(engine, now=LATER)] == [LATER]


def test_a_sender_takes_only_what_is_for_its_destination(engine: Engine) -> None:
    queue(engine, effect("a", destination="zendesk"), effect("b", destination="log"))
    with reading(engine) as session:
        assert due_destinations(session, NOW) == ["log", "zendesk"]
    assert [each.effect.key for each in take(engine, destination="zendesk")] == ["a"]


def test_what_a_killed_sender_had_in_hand_is_taken_again_under_the_same_key(
    engine: Engine,
) -> None:
    queue(engine, effect())
    [lost] = take(engine)
    assert take(engine, now=NOW + LEASE - timedelta(seconds=1)) == []
    [again] = take(engine, now=NOW + LEASE)
    assert (again.effect, again.number) == (lost.effect, 2)
    assert sent(engine, again, "ref-1")
    with reading(engine) as session:
        outcomes = [(each.number, each.outcome) for each in attempts_of(session, "act:g1:log")]
    assert outcomes == [(1, None), (2, "sent")]


def test_an_effect_that_was_sent_says_so_once(engine: Engine) -> None:
    queue(engine, effect())
    [first] = take(engine)
    [second] = take(engine, now=NOW + LEASE)
    assert sent(engine, second, "ref-2")
    assert not sent(engine, first, "ref-1")
    assert (found(engine).status, found(engine).reference) == (EffectStatus.SENT, "ref-2")
    assert actions(engine) == ["effect.queued", "effect.sent"]
    assert take(engine, now=LATER) == []


def test_a_reversal_that_was_sent_is_in_the_history_as_one(engine: Engine) -> None:
    queue(engine, effect(kind=EffectKind.REVERSE))
    [claimed] = take(engine)
    sent(engine, claimed)
    assert actions(engine) == ["effect.queued", "effect.reversed"]


def test_a_failure_that_may_pass_is_tried_again_at_its_time(engine: Engine) -> None:
    queue(engine, effect())
    [claimed] = take(engine)
    with transaction(engine) as session:
        assert note_failure(session, claimed, ProviderUnavailable("down"), LATER, BY, NOW)
    assert take(engine) == []
    [again] = take(engine, now=LATER)
    assert (again.number, again.failures) == (2, 1)
    assert actions(engine) == ["effect.queued"]
    with reading(engine) as session:
        first = attempts_of(session, "act:g1:log")[0]
    assert (first.outcome, first.message) == ("provider_unavailable", "down")


def test_a_failure_for_good_is_kept_as_dead(engine: Engine) -> None:
    queue(engine, effect())
    [claimed] = take(engine)
    with transaction(engine) as session:
        assert note_failure(session, claimed, ProviderRefused("no"), None, BY, NOW)
    assert (found(engine).status, found(engine).error) == (EffectStatus.DEAD, "provider_refused")
    assert take(engine, now=LATER) == []
    assert actions(engine) == ["effect.queued", "effect.failed"]


def test_a_slow_sender_that_fails_does_not_disturb_the_one_after_it(engine: Engine) -> None:
    queue(engine, effect())
    [slow] = take(engine)
    [quick] = take(engine, now=NOW + LEASE)
    with transaction(engine) as session:
        assert not note_failure(session, slow, ProviderRefused("no"), None, BY, NOW)
    assert found(engine).status == EffectStatus.WAITING
    assert sent(engine, quick)


def test_a_slow_sender_that_got_through_is_believed(engine: Engine) -> None:
    queue(engine, effect())
    [slow] = take(engine)
    [quick] = take(engine, now=NOW + LEASE)
    with transaction(engine) as session:
        note_failure(session, quick, ProviderRefused("no"), None, BY, NOW)
    assert sent(engine, slow, "ref-1")
    assert actions(engine) == ["effect.queued", "effect.failed", "effect.sent"]


def test_effects_are_listed_by_status_destination_and_case(engine: Engine) -> None:
    queue(engine, effect("a"), effect("b", case_id="c2"), effect("c", destination="slack"))
    [claimed] = take(engine, 1)
    sent(engine, claimed)
    with reading(engine) as session:
        waiting = list_effects(session, status=EffectStatus.WAITING)
        assert [row.key for row in waiting] == ["b", "c"]
        assert [row.key for row in list_effects(session, destination="log")] == ["a", "b"]
        assert [row.key for row in list_effects(session, case_id="c1", offset=1)] == ["c"]


def test_claiming_nothing_writes_nothing(engine: Engine) -> None:
    with transaction(engine) as session:
        assert claim(session, "log", 5, "sender", NOW) == []
        assert not session.dirty
