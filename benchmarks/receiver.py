"""The receiver: signed posts a second, client and receiver on the same machine, killed once.

SQLite reaches the disk with each commit. PostgreSQL is measured where
``CASEWORK_BENCH_POSTGRES_URL`` names a server with a user who may create databases.
"""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson
import psycopg
from sqlalchemy import make_url, select

from benchmarks.posting import Load, Receiver, deliveries, receiving, with_a_kill
from benchmarks.table import row
from casework.store.engine import open_engine, reading
from casework.store.schema import upgrade
from casework.store.tables import InboxMessage

POSTS: Final = 10_000
BODY: Final = b'{"subject":"It happened again","description":"' + b"what was said " * 80 + b'"}'
CONNECTIONS: Final = 64


def run(posts: int = POSTS) -> list[dict[str, Any]]:
    """Measure both databases; rows of figure, value, unit, limit and peer."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'casework.db'}"
        rows += _measured(Path(folder), url, "SQLite", posts)
    server = os.environ.get("CASEWORK_BENCH_POSTGRES_URL")
    if server is None:
        return [*rows, row("receiver: PostgreSQL", "not measured", "no server is named")]
    with tempfile.TemporaryDirectory() as folder, _database(server) as url:
        rows += _measured(Path(folder), url, "PostgreSQL", posts)
    return rows


def _measured(folder: Path, url: str, name: str, posts: int) -> list[dict[str, Any]]:
    engine = open_engine(url)
    upgrade(engine)
    with receiving(folder, url, _free_port()) as receiver:
        before = receiver.cpu_seconds()
        rate = asyncio.run(_rate(receiver, posts))
        cost = (receiver.cpu_seconds() - before) / posts * 1000
        lost, doubled = asyncio.run(_killed(receiver, url, posts))
    engine.dispose()
    return [
        row(f"receiver: {name}, signed posts", round(rate), "posts/s", ">= 500"),
        row(f"receiver: {name}, processor time of a post", round(cost, 2), "ms"),
        row(f"receiver: {name}, acknowledged and lost in a kill", lost, "posts", "0"),
        row(f"receiver: {name}, kept twice", doubled, "posts", "0"),
    ]


async def _rate(receiver: Receiver, posts: int) -> float:
    load = Load("load", deliveries(posts, BODY))
    began = time.perf_counter()
    await load.run(receiver.port, CONNECTIONS)
    return len(load.acknowledged) / (time.perf_counter() - began)


async def _killed(receiver: Receiver, url: str, posts: int) -> tuple[int, int]:
    """Kill the receiver half way; how many acknowledged posts are lost, and kept twice."""
    bodies = deliveries(posts, BODY, prefix="killed")
    load = Load("load", bodies)
    await with_a_kill(load, receiver, after=posts // 2, connections=CONNECTIONS)
    with reading(open_engine(url)) as session:
        kept = Counter(
            body.split(b'"')[3].decode()
            for body in session.scalars(select(InboxMessage.body))  # type: ignore[call-overload]
        )
    lost = sum(1 for delivery in load.acknowledged if delivery not in kept)
    return lost, sum(1 for times in kept.values() if times > 1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"casework_bench_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(run(), option=orjson.OPT_INDENT_2) + b"\n")
