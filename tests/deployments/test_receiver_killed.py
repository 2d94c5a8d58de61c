"""The receiver as a process: killed in the middle, it has lost nothing that it acknowledged."""

import asyncio
import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from benchmarks.posting import Load, deliveries, receiving, with_a_kill
from casework.store.engine import reading
from casework.store.inbox import number_waiting
from casework.store.tables import InboxMessage

BODY = b'{"body":"' + b"a ticket " * 50 + b'"}'


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_what_was_acknowledged_is_in_the_inbox_exactly_once_after_a_kill(
    engine: Engine, store_url: str, tmp_path: Path, port: int
) -> None:
    load = Load("load", deliveries(600, BODY))
    with receiving(tmp_path, store_url, port) as receiver:
        before = asyncio.run(with_a_kill(load, receiver, after=200))
    assert 200 <= len(before) < 600
    assert len(set(load.acknowledged)) == 600
    with reading(engine) as session:
        bodies = list(session.scalars(select(InboxMessage.body)))  # type: ignore[call-overload]
        assert number_waiting(session) == 600
    ids = sorted(body.split(b'"')[3].decode() for body in bodies)
    assert ids == sorted(f"d{number}" for number in range(600))
    assert b"ticket" not in (tmp_path / "receiver.log").read_bytes()
