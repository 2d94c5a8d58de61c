"""The migrated schema is the one the tables declare, from empty, on both databases."""

import multiprocessing
import re
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from casework.errors import StoreError
from casework.store import schema, tables
from casework.store.engine import open_engine, reading, transaction

APPEND_ONLY = (
    "ledger_entries",
    "ledger_leaves",
    "checkpoints",
    "decisions",
    "case_revisions",
    "incident_notes",
    "incident_updates",
    "incident_reports",
    "held_cases",
    "health_days",
)


def test_the_migrated_schema_is_the_one_the_tables_declare(engine: Engine) -> None:
    assert tables.LedgerEntry.__table__ in SQLModel.metadata.tables.values()
    with reading(engine) as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_head_the_code_expects_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_an_empty_database_is_refused_until_it_is_upgraded(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(StoreError) as refusal:
        schema.check_current(engine)
    assert refusal.value.hint == "run: casework db upgrade"
    assert schema.upgrade(engine) is True
    schema.check_current(engine)
    assert schema.upgrade(engine) is False
    assert "cases" in inspect(engine).get_table_names()
    engine.dispose()


def test_a_database_that_a_newer_release_has_migrated_is_refused(engine: Engine) -> None:
    with transaction(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        schema.check_current(engine)
    with pytest.raises(StoreError, match="does not know"):
        schema.upgrade(engine)


def _upgrade(url: str) -> bool:
    engine = open_engine(url)
    try:
        return schema.upgrade(engine)
    finally:
        engine.dispose()


def test_a_case_that_was_restricted_before_gets_an_alias_of_its_own(empty_url: str) -> None:
    engine, config = open_engine(empty_url), Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with transaction(engine) as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0013")
        for case in ("c1", "c2"):
            values = f"('{case}', 'because', 'lou', '2026-03-02 09:30:00')"
            session.execute(
                text(
                    "INSERT INTO case_restrictions (case_id, reason, restricted_by, restricted_at)"
                    f" VALUES {values}"
                )
            )
    schema.upgrade(engine)
    with reading(engine) as session:
        aliases = session.scalars(text("SELECT alias FROM case_restrictions")).all()
    assert len(set(aliases)) == 2
    assert all(re.fullmatch("r[0-9a-f]{20}", alias) for alias in aliases)
    engine.dispose()


def test_of_two_processes_that_upgrade_at_once_one_does_it(empty_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert sorted(pool.map(_upgrade, [empty_url, empty_url])) == [False, True]


ROWS = {
    "ledger_entries": "(1, 'c', 0, 'a', 'x', '2026-01-01', '{}', 'd')",
    "ledger_leaves": "(0, 1, 'd')",
    "checkpoints": "(1, 'r', '[]', 1, 'n', '2026-01-01')",
    "decisions": "('d', 'c', 1, NULL, 'x', 'machine', 'close', NULL, NULL, NULL, NULL, NULL, '', "
    "'[]', 'e', 'p', 'v', NULL, '2026-01-01')",
    "case_revisions": "('c', 1, '{}', 'd', 'i', '2026-01-01')",
    "incident_notes": "('i', 1, 'k', 't', NULL, 'ana', '2026-01-01')",
    "incident_updates": "('i', 1, 'k', 'public', 'm', 'p', 't', 'd', 'ana', '2026-01-01')",
    "incident_reports": "('i', '# Report', 'd', '2026-01-01')",
    "held_cases": "('c', 1, 'h', 'a', '2026-01-01')",
    "health_days": "('2026-01-01', 1, 'd', '[]', '{}', '2026-01-01')",
}


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_database_refuses_to_change_history(engine: Engine, table: str) -> None:
    key = inspect(engine).get_pk_constraint(table)["constrained_columns"][0]
    changes = [f"UPDATE {table} SET {key} = {key}", f"DELETE FROM {table}"]
    if engine.dialect.name == "sqlite":
        changes.append(f"INSERT OR REPLACE INTO {table} VALUES {ROWS[table]}")
    else:
        changes.append(f"TRUNCATE {table}")
        changes.append(f"SET session_replication_role = replica; DELETE FROM {table}")
    with transaction(engine) as session:
        session.execute(text(f"INSERT INTO {table} VALUES {ROWS[table]}"))
    for change in changes:
        with pytest.raises(IntegrityError, match="append-only"), transaction(engine) as session:
            session.connection().exec_driver_sql(change)
