"""Every table of the store, a module for each noun. Queries live beside this package.

Tables do not validate: what comes from outside passes a pydantic schema first.
"""

from casework.store.tables.accounts import Account, ConsoleSession, SignInLink
from casework.store.tables.cases import Case, CaseRevision
from casework.store.tables.gates import Decision, Gate, Person
from casework.store.tables.intake import Intake, Quarantined
from casework.store.tables.ledger import Checkpoint, LedgerEntry, LedgerLeaf
from casework.store.tables.policy import PolicyBundle
from casework.store.tables.signals import CachedReading, SignalReading

__all__ = [
    "Account",
    "CachedReading",
    "Case",
    "CaseRevision",
    "Checkpoint",
    "ConsoleSession",
    "Decision",
    "Gate",
    "Intake",
    "LedgerEntry",
    "LedgerLeaf",
    "Person",
    "PolicyBundle",
    "Quarantined",
    "SignInLink",
    "SignalReading",
]
