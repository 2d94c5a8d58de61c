"""Engines and transactions. ``transaction()`` is the only place that commits."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg
from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlmodel import Session, create_engine

from casework.errors import ConfigurationError, StoreError

#: Milliseconds a writer waits for another one on SQLite.
BUSY_TIMEOUT_MS: Final = 30_000


#: Connections of one process to PostgreSQL; they are made when they are needed.
CONNECTIONS: Final = 15


@lru_cache(maxsize=16)
def open_engine(url: str) -> Engine:
    """Open the store at a SQLAlchemy URL; the same URL gives the same engine.

    Raises:
        ConfigurationError: the URL is neither SQLite nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "CASEWORK_DATABASE_URL is not a database URL",
            hint="for example postgresql+psycopg://user:password@host/casework",
        ) from error
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(str(parsed.database or ""), url)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed)
    raise ConfigurationError(
        f"Casework does not keep its store in {parsed.get_backend_name()}",
        hint="use a sqlite:/// or a postgresql:// URL",
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session whose work is committed at the end, or undone altogether on any error.

    Raises:
        StoreError: the database is gone, locked or not migrated.
    """
    with _reported(), Session(engine, expire_on_commit=False) as session:
        session.connection(execution_options={"casework_writes": True})
        yield session
        session.commit()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session for reading alone; nothing it does is kept.

    Raises:
        StoreError: the database is gone, locked or not migrated.
    """
    with _reported(), Session(engine, expire_on_commit=False) as session:
        yield session


def reach_the_disk(engine: Engine) -> None:
    """Have each commit on SQLite reach the disk, so that not even a power cut loses one.

    To be called before the engine is used; PostgreSQL does so of itself. It is for what nobody
    will send again: everything else can be done once more from where it came.
    """
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _flush(connection: sqlite3.Connection, _: object) -> None:
            connection.execute("PRAGMA synchronous=FULL")


def is_sqlite(session: Session) -> bool:
    """Whether this session talks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def _dumps(document: Any) -> str:
    return orjson.dumps(document).decode()


def _open_postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        pool_pre_ping=True,
        # As many as the default's five and ten more, but all of them are kept: under load a
        # connection that is made for one request costs more than the request.
        pool_size=CONNECTIONS,
        max_overflow=0,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: psycopg.Connection, _: object) -> None:
        # Times come as they are kept; converting them was a fifth of what a long list cost.
        connection.execute("SET TIME ZONE 'UTC'")
        connection.commit()

    return engine


def _open_sqlite(path: str, url: str) -> Engine:
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        # Transactions are begun by hand, so that writers can say IMMEDIATE.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            # Holds for a new file alone: fewer, larger writes made appending a third faster.
            "page_size=16384",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-65536",
            "recursive_triggers=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("casework_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _reported() -> Iterator[None]:
    """Turn the driver's own errors into ours, with a way out."""
    try:
        yield
    except OperationalError as error:
        raise StoreError(
            f"the store does not answer: {_first_line(error)}", hint=_way_out(error)
        ) from error
    except DBAPIError as error:
        if "UndefinedTable" in type(error.orig).__name__:
            raise StoreError("the store is not set up", hint="run: casework db upgrade") from error
        raise


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason given"


def _way_out(error: DBAPIError) -> str:
    text = str(error.orig)
    if "no such table" in text or "no such column" in text:
        return "run: casework db upgrade"
    if "locked" in text:
        return "another process is writing; try again"
    return "check CASEWORK_DATABASE_URL and that the database is running"
