"""Senders are killed in the middle: nothing is lost, and a key that comes twice is the same key."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine

from casework.effects import EffectStatus
from casework.store.engine import reading
from casework.store.ledger import entries_of
from casework.store.outbox import attempts_of, list_effects
from casework.store.sending import LEASE
from tests.factories.effects import LEAVING, effect, queue, written
from tests.integrations.server import Asked, Given, Server, serving
from tests.source import ROOT

pytestmark = pytest.mark.slow

KEYS = [f"act:g{number:02}:platform" for number in range(24)]


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return written(tmp_path / "policy", LEAVING)


def started(store: str, policy: Path, server: Server, ahead: float = 0) -> subprocess.Popen[bytes]:
    """A sender in a process of its own."""
    words = [store, str(policy), server.url, str(ahead)]
    return subprocess.Popen([sys.executable, "-m", "tests.tasks.sender", *words], cwd=ROOT)


def keys_of(server: Server) -> Counter[str]:
    return Counter(each.headers["webhook-id"] for each in server.asked)


def test_a_sender_killed_in_the_middle_loses_nothing_and_repeats_only_keys(
    engine: Engine, store_url: str, policy: Path
) -> None:
    queue(engine, *(effect(key, destination="platform") for key in KEYS))
    some, killed = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Given:
        if len(server.asked) >= len(KEYS) // 2 and not killed.is_set():
            # The effect has arrived, and its sender will never hear of it.
            some.set()
            killed.wait(30)
        return 204, {}, b""

    with serving(answer) as server:
        first = started(store_url, policy, server)
        assert some.wait(60)
        first.send_signal(signal.SIGKILL)
        assert first.wait(30) == -signal.SIGKILL
        killed.set()
        reached = keys_of(server)
        assert started(store_url, policy, server, LEASE.total_seconds() + 1).wait(60) == 0
        arrived = keys_of(server)
    assert set(arrived) == set(KEYS), "nothing is lost"
    with reading(engine) as session:
        assert {row.status for row in list_effects(session, limit=99)} == {EffectStatus.SENT}
        tries = {key: len(attempts_of(session, key)) for key in KEYS}
        sent = [each for each in entries_of(session, "c1") if each.action == "effect.sent"]
    assert len(sent) == len(KEYS), "each is in the history once"
    repeated = {key for key, times in arrived.items() if times > 1}
    assert repeated, "what was in hand is sent again"
    assert repeated <= {key for key in KEYS if tries[key] == 2}
    assert repeated <= set(reached)
    bodies = {(each.headers["webhook-id"], each.body) for each in server.asked}
    assert len(bodies) == len(KEYS), "under one key comes one message"


def test_two_senders_at_once_send_each_effect_once(
    engine: Engine, store_url: str, policy: Path
) -> None:
    queue(engine, *(effect(key, destination="platform") for key in KEYS))
    with serving(lambda asked: (204, {}, b"")) as server:
        both = [started(store_url, policy, server) for _ in range(2)]
        assert [each.wait(60) for each in both] == [0, 0]
        assert keys_of(server) == Counter(KEYS)
    with reading(engine) as session:
        senders = {attempts_of(session, key)[0].outcome for key in KEYS}
    assert senders == {"sent"}
