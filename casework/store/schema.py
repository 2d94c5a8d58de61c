"""Bringing a database to the schema this code expects."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from casework.errors import StoreError
from casework.store.engine import reading, transaction

#: The newest migration; a test holds it against the files in ``migrations/versions``.
HEAD: Final = "0014"

_MIGRATIONS: Final = Path(__file__).resolve().parent / "migrations"

#: Any number of our own: whoever migrates a PostgreSQL database holds this advisory lock.
_LOCK: Final = 0x6361_7365_6462


def upgrade(engine: Engine) -> bool:
    """Bring the database to the newest schema; return whether there was anything to do.

    Two processes may call it at once: one migrates, the other waits and finds it done. On a
    current database it costs one look-up.

    Raises:
        StoreError: the database does not answer, or a newer Casework has migrated it.
    """
    if _version(engine) == HEAD:
        return False
    with transaction(engine) as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        return _migrate(connection)


def check_current(engine: Engine) -> None:
    """Refuse to work on a database whose schema is not the newest.

    Raises:
        StoreError: it was never set up, or is older or newer than this code.
    """
    found = _version(engine)
    if found == HEAD:
        return
    if found is None:
        raise StoreError("the store is not set up", hint="run: casework db upgrade")
    raise StoreError(
        f"the store's schema is {found}, this code wants {HEAD}", hint="run: casework db upgrade"
    )


def _version(engine: Engine) -> str | None:
    """The migration the database is at, or None where it was never set up."""
    try:
        with reading(engine) as session:
            found = session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except StoreError as error:
        cause = error.__cause__
        if isinstance(cause, DBAPIError) and _is_missing_table(cause):
            return None
        raise
    return None if found is None else str(found)


def _is_missing_table(error: DBAPIError) -> bool:
    return "no such table" in str(error.orig) or "UndefinedTable" in type(error.orig).__name__


def _migrate(connection: Connection) -> bool:
    # Alembic takes a good part of a second to import, and a current store does not need it.
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.util import CommandError

    before = MigrationContext.configure(connection).get_current_revision()
    if before == HEAD:
        return False
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the store's schema is {before}, which this code does not know",
            hint="a newer Casework has migrated it: update this one",
        ) from error
    return True
