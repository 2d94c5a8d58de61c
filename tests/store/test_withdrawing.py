"""What was undone before it left is cancelled; what may have left is undone after it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from casework.effects import EffectKind, Receipt
from casework.errors import (
    CaseworkError,
    Conflict,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from casework.store.effects import retry_effect
from casework.store.engine import reading, transaction
from casework.store.ledger import entries_of
from casework.store.outbox import effect_by_key
from casework.store.sending import Claimed, note_failure, note_sent
from casework.store.withdrawing import unsent, withdraw
from tests.factories.effects import effect, queue, take
from tests.factories.gates import BY, NOW

ACT, END = "act:g1:log", "reverse:g1:log"


def queued(engine: Engine) -> None:
    """What the decision g1 does, and its end, which comes after it."""
    queue(engine, effect(ACT, data={"origin": "g1"}))
    about = {"origin": "g1", "undoes": "g1"}
    queue(engine, effect(END, kind=EffectKind.REVERSE, data=about, after=ACT))


def cancelled(engine: Engine) -> set[str]:
    with transaction(engine) as session:
        rows = unsent(session, "c1", ["g1"], lock=True)
        withdraw(session, rows, BY, NOW)
        return {row.key for row in rows}


def failed(engine: Engine, claimed: Claimed, error: CaseworkError, *, dead: bool = False) -> None:
    with transaction(engine) as session:
        note_failure(session, claimed, error, None if dead else NOW, BY, NOW)


def test_what_nobody_has_tried_to_send_is_cancelled_with_its_end(engine: Engine) -> None:
    queued(engine)
    queue(engine, effect("act:g2:log", data={"origin": "g2"}))
    assert cancelled(engine) == {ACT, END}
    assert [each.effect.key for each in take(engine)] == ["act:g2:log"]
    with reading(engine) as session:
        told = [entry.action for entry in entries_of(session, "c1")]
    assert told[-2:] == ["effect.cancelled"] * 2
    with pytest.raises(Conflict, match="cancelled cannot become"), transaction(engine) as session:
        retry_effect(session, ACT, BY, NOW)


def test_what_a_sender_has_in_hand_is_sent_and_then_undone(engine: Engine) -> None:
    queued(engine)
    [claimed] = take(engine)
    assert cancelled(engine) == set()
    with transaction(engine) as session:
        assert note_sent(session, claimed, Receipt(), BY, NOW)
    assert [each.effect.key for each in take(engine)] == [END]


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        (RateLimited("busy"), {ACT, END}),
        (ProviderRefused("revoked", answered=401), {ACT, END}),
        (ProviderTimeout("late"), set()),
        (ProviderUnavailable("answered 502"), set()),
    ],
)
@pytest.mark.parametrize("dead", [False, True])
def test_what_was_surely_not_taken_is_cancelled_and_what_may_have_been_is_not(
    engine: Engine, error: CaseworkError, gone: set[str], dead: bool
) -> None:
    queued(engine)
    [claimed] = take(engine)
    failed(engine, claimed, error, dead=dead)
    assert cancelled(engine) == gone


def test_one_doubtful_attempt_among_several_is_enough_to_keep_it(engine: Engine) -> None:
    queued(engine)
    for error in (ProviderTimeout("late"), RateLimited("busy", retry_after=0.0)):
        [claimed] = take(engine)
        failed(engine, claimed, error)
    assert cancelled(engine) == set()


@pytest.mark.parametrize("turn", range(4))
def test_of_a_sender_and_an_undoing_at_once_one_gets_the_effect(engine: Engine, turn: int) -> None:
    queued(engine)
    with ThreadPoolExecutor(2) as pool:
        sending, undoing = pool.submit(take, engine), pool.submit(cancelled, engine)
    sent = {each.effect.key for each in sending.result()}
    assert (sent, undoing.result()) in [({ACT}, set()), (set(), {ACT, END})]
    with reading(engine) as session:
        assert effect_by_key(session, ACT).status == ("waiting" if sent else "cancelled")
