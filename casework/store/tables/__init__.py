"""Every table of the store, a module for each noun. Queries live beside this package.

Tables do not validate: what comes from outside passes a pydantic schema first.
"""

from casework.store.tables.cases import Case, CaseRevision
from casework.store.tables.gates import Decision, Gate, Person
from casework.store.tables.intake import Intake, Quarantined
from casework.store.tables.ledger import Checkpoint, LedgerEntry, LedgerLeaf
from casework.store.tables.policy import PolicyBundle
from casework.store.tables.qa import QaGate, QaGolden, QaItem, QaRound
from casework.store.tables.signals import CachedReading, SignalReading

__all__ = [
    "CachedReading",
    "Case",
    "CaseRevision",
    "Checkpoint",
    "Decision",
    "Gate",
    "Intake",
    "LedgerEntry",
    "LedgerLeaf",
    "Person",
    "PolicyBundle",
    "QaGate",
    "QaGolden",
    "QaItem",
    "QaRound",
    "Quarantined",
    "SignalReading",
]
