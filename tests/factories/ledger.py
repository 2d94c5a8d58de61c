"""Entries for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text

from casework.ledger.checkpoint import Signer
from casework.ledger.entries import Action, Draft, Entry, Provenance
from casework.store.engine import reading, transaction
from casework.store.ledger import append
from casework.store.sealing import Sealed, seal

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BY = Provenance(actor="casework:test", code_version="test")


def drafts(chains: int = 3, each: int = 2) -> list[Draft]:
    """Entries of some chains, taking turns."""
    return [
        Draft(f"c{chain}", Action.CASE_OPENED, {"turn": turn}, revision=1)
        for turn in range(each)
        for chain in range(chains)
    ]


def write(engine: Engine, given: Sequence[Draft]) -> list[Entry]:
    """Append them in one transaction."""
    with transaction(engine) as session:
        return append(session, given, BY, NOW)


def signer(seed: int = 1) -> Signer:
    """A signer whose key is always the same."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return Signer("casework.example/ledger", key)


def sealed(engine: Engine, given: Sequence[Draft]) -> Sealed:
    """Append entries and seal them."""
    write(engine, given)
    done = seal(engine, signer(), NOW)
    assert done is not None
    return done


def tamper(engine: Engine, *statements: str) -> None:
    """Do what the owner of the database can: take the triggers off, then change its rows."""
    with transaction(engine) as session:
        connection = session.connection()
        for drop in _drops(engine):
            connection.exec_driver_sql(drop)
        for statement in statements:
            connection.exec_driver_sql(statement)


def _drops(engine: Engine) -> list[str]:
    if engine.dialect.name == "sqlite":
        with reading(engine) as session:
            found = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            return [f"DROP TRIGGER {name}" for (name,) in found]
    tables = ("ledger_entries", "ledger_leaves", "checkpoints")
    return [f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}" for table in tables]
