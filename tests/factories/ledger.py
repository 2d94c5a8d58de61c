"""Entries for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine

from casework.ledger.entries import Action, Draft, Entry, Provenance
from casework.store.engine import transaction
from casework.store.ledger import append

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
