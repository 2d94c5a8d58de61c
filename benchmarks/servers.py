"""What the gates are measured on: databases, a Prefect server, and workers."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from casework.settings import load_settings
from casework.store.engine import open_engine


@contextmanager
def surroundings(postgres: str, folder: Path) -> Iterator[None]:
    """Databases of our own for the store and for Prefect, and a server on them."""
    with ExitStack() as stack:
        store = stack.enter_context(database(postgres, "casework_bench_store"))
        prefect = stack.enter_context(database(postgres, "casework_bench_prefect", "pg_trgm"))
        os.environ["CASEWORK_HOME"] = str(folder)
        os.environ["CASEWORK_DATABASE_URL"] = store
        asynchronous = make_url(prefect).set(drivername="postgresql+asyncpg")
        os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = asynchronous.render_as_string(False)
        from deployments.stack import prepare_environment, server

        prepare_environment(load_settings())
        stack.enter_context(server(load_settings()))
        yield
        open_engine(load_settings().store_url).dispose()


@contextmanager
def database(postgres: str, name: str, extension: str = "") -> Iterator[str]:
    """A database of our own, which is dropped at the end; yields its URL."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    url = make_url(postgres).set(database=name)
    if extension:
        plain = url.render_as_string(False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f"CREATE EXTENSION {extension}")
    try:
        yield url.render_as_string(False)
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def worker(kind: str, pool: str, limit: int | None = None) -> Iterator[None]:
    """A worker in a process of its own, once it polls; ``limit`` runs at once."""
    from deployments.children import child_process
    from deployments.stack import TELLING

    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", kind, "--pool", pool]
    command += ["--limit", str(limit)] if limit else []
    os.environ["PREFECT_WORKER_QUERY_SECONDS"] = "1"
    name = f"{kind}-{limit or 'usual'}"
    log = load_settings().home / "logs" / f"{name}.log"
    # As the embedded stack has it: runs say what they do.
    surroundings = {**os.environ, "PREFECT_LOGGING_LEVEL": TELLING}
    with child_process(load_settings(), name, command, surroundings) as child:
        deadline = time.monotonic() + 60
        while b"started!" not in log.read_bytes():
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(log.read_text())
            time.sleep(0.2)
        time.sleep(2.0)
        yield
