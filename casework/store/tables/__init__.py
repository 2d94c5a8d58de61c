"""Every table of the store, a module for each noun. Queries live beside this package.

Tables do not validate: what comes from outside passes a pydantic schema first.
"""

from casework.store.tables.accounts import Account, ConsoleSession, SignInLink
from casework.store.tables.assignments import Assignment
from casework.store.tables.cases import Case, CaseRevision
from casework.store.tables.clocks import Clock
from casework.store.tables.desk import CaseGrant, CaseRestriction, PlaybookAnswer, Preference
from casework.store.tables.gates import Decision, Gate, Person
from casework.store.tables.health import HealthDay, HealthSnapshot
from casework.store.tables.inbox import Identity, InboxMessage
from casework.store.tables.incidents import (
    HeldCase,
    Hold,
    Incident,
    IncidentCase,
    IncidentFollowUp,
    IncidentNote,
    IncidentReport,
    IncidentTask,
    IncidentTenure,
    IncidentUpdate,
)
from casework.store.tables.intake import Intake, Quarantined
from casework.store.tables.ledger import Checkpoint, LedgerEntry, LedgerLeaf
from casework.store.tables.outbox import BreakerState, DeliveryAttempt, QueuedEffect
from casework.store.tables.policy import PolicyBundle
from casework.store.tables.pulling import PullCursor
from casework.store.tables.qa import QaGate, QaGolden, QaItem, QaRecusal, QaRound
from casework.store.tables.rights import PausedRight
from casework.store.tables.signals import CachedReading, SignalReading
from casework.store.tables.tokens import Reply, Token
from casework.store.tables.vendors import Placement, Team, Vendor

__all__ = [
    "Account",
    "Assignment",
    "BreakerState",
    "CachedReading",
    "Case",
    "CaseGrant",
    "CaseRestriction",
    "CaseRevision",
    "Checkpoint",
    "Clock",
    "ConsoleSession",
    "Decision",
    "DeliveryAttempt",
    "Gate",
    "HealthDay",
    "HealthSnapshot",
    "HeldCase",
    "Hold",
    "Identity",
    "InboxMessage",
    "Incident",
    "IncidentCase",
    "IncidentFollowUp",
    "IncidentNote",
    "IncidentReport",
    "IncidentTask",
    "IncidentTenure",
    "IncidentUpdate",
    "Intake",
    "LedgerEntry",
    "LedgerLeaf",
    "PausedRight",
    "Person",
    "Placement",
    "PlaybookAnswer",
    "PolicyBundle",
    "Preference",
    "PullCursor",
    "QaGate",
    "QaGolden",
    "QaItem",
    "QaRecusal",
    "QaRound",
    "Quarantined",
    "QueuedEffect",
    "Reply",
    "SignInLink",
    "SignalReading",
    "Team",
    "Token",
    "Vendor",
]
