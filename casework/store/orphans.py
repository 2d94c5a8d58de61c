"""Open gates that no clock watches: found, and given the clocks they should have had."""

from datetime import datetime
from typing import Final

from sqlalchemy import exists, select
from sqlmodel import Session, col

from casework.clocks.model import ClockKind
from casework.gates import GateStatus
from casework.ledger.entries import Action, Draft, Provenance, timestamp
from casework.store.clocks import Opened, open_clocks
from casework.store.ledger import append
from casework.store.policy import stored_bundle
from casework.store.tables import Clock, Gate

#: Gates mended in one transaction.
BATCH: Final = 500


def orphans(session: Session, limit: int = BATCH) -> list[Gate]:
    """Open gates that no clock watches, oldest first."""
    watched = exists().where(
        col(Clock.gate_id) == col(Gate.id), col(Clock.kind) == ClockKind.DECISION.value
    )
    statement = select(Gate).where(col(Gate.status) == GateStatus.OPEN, ~watched)
    return list(session.scalars(statement.order_by(col(Gate.opened_at)).limit(limit)))


def mend_orphans(session: Session, by: Provenance, now: datetime, limit: int = BATCH) -> list[str]:
    """Give open gates without clocks those they should have had since they opened.

    Returns:
        The ids of the gates.
    """
    found = orphans(session, limit)
    drafts = []
    for gate in found:
        bundle = stored_bundle(session, gate.policy_digest)
        opened = Opened(gate.id, gate.case_id, gate.queue, gate.severity)
        open_clocks(session, bundle, [opened], gate.opened_at)
        data = {"gate": gate.id, "since": timestamp(gate.opened_at)}
        drafts.append(Draft(gate.case_id, Action.CLOCK_MENDED, data, gate.revision))
    append(session, drafts, by, now)
    return [gate.id for gate in found]
