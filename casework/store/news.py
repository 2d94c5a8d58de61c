"""What has happened to cases lately, in one statement for all who want to know."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from casework.accounts import session_ends
from casework.ledger.entries import Action
from casework.store.tables import Case, CaseRestriction, ConsoleSession, LedgerEntry, Person

#: What a page that is open wants to know of.
TOLD: Final = (
    Action.CASE_REVISED,
    Action.CASE_RESTRICTED,
    Action.GATE_OPENED,
    Action.GATE_ANSWERED,
    Action.GATE_DECIDED,
    Action.GATE_CARRIED_OUT,
    Action.GATE_SUPERSEDED,
    Action.GATE_CLAIMED,
    Action.GATE_RELEASED,
    Action.GATE_ASSIGNED,
    Action.GATE_HELD,
    Action.GATE_RESUMED,
    Action.GATE_HANDED_OVER,
    Action.GATE_REASSIGNED,
    Action.GATE_RAISED,
    Action.GATE_LOCKED,
    Action.PLAYBOOK_ANSWERED,
)


@dataclass(frozen=True, slots=True)
class News:
    """That something happened to a case; not what it says."""

    entry: int
    case_id: str
    action: Action
    actor: str
    queue: str | None
    restricted: bool


def newest_entry(session: Session) -> int:
    """The id of the newest entry of the history; 0 where there is none."""
    return session.scalar(select(func.max(col(LedgerEntry.id)))) or 0


def news_since(session: Session, entry: int, limit: int = 2000) -> tuple[int, list[News]]:
    """The id of the newest entry, and what is told of those behind an id, the oldest first."""
    newest = select(func.max(col(LedgerEntry.id)).label("id")).subquery()
    behind = and_(
        col(LedgerEntry.id) > entry, col(LedgerEntry.action).in_([str(each) for each in TOLD])
    )
    statement = (
        select(
            newest.c.id,
            col(LedgerEntry.id),
            col(LedgerEntry.chain),
            col(LedgerEntry.action),
            col(LedgerEntry.actor),
            col(Case.queue),
            col(CaseRestriction.case_id),
        )
        .select_from(newest)
        .outerjoin(LedgerEntry, behind)
        .outerjoin(Case, col(Case.id) == col(LedgerEntry.chain))
        .outerjoin(CaseRestriction, col(CaseRestriction.case_id) == col(LedgerEntry.chain))
        .order_by(col(LedgerEntry.id))
        .limit(limit)
    )
    rows = session.execute(statement).all()
    told = [
        News(number, chain, Action(action), actor, queue, restricted is not None)
        for _, number, chain, action, actor, queue, restricted in rows
        if number is not None
    ]
    last = told[-1].entry if len(rows) == limit else rows[0][0] or 0
    return last, told


def sessions_in_force(
    session: Session, fingerprints: Collection[str], now: datetime
) -> frozenset[str]:
    """Which sessions go on; asking does not make one go on for longer."""
    statement = (
        select(ConsoleSession)
        .join(Person, and_(col(Person.id) == col(ConsoleSession.person), col(Person.active)))
        .where(
            col(ConsoleSession.fingerprint).in_(fingerprints),
            col(ConsoleSession.revoked_at).is_(None),
        )
    )
    return frozenset(
        each.fingerprint
        for each in session.scalars(statement)
        if now < session_ends(each.opened_at, each.used_at)
    )
