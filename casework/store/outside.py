"""What other systems say about a case, in its history."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from casework.gates import GateStatus
from casework.inbox.telling import News
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.clocks import touch
from casework.store.gates import held
from casework.store.identities import person_of
from casework.store.inbox import Handled, case_of_reference, note_handled
from casework.store.ledger import append
from casework.store.restrictions import case_of_alias
from casework.store.tables import Case, Gate, InboxMessage

#: Events that say that somebody has taken up what they were paged about.
TAKEN_UP: Final = frozenset({"incident.acknowledged"})


def note_news(
    session: Session, message: InboxMessage, news: News, by: Provenance, now: datetime
) -> Handled:
    """Write what a message tells into the history of the case it is about.

    The case is the one it names, or the one that an earlier message named for the same thing. That
    a page was acknowledged is the first touch of the gate it was about; it answers nothing.
    """
    case = case_named(session, news.about) or case_of_reference(
        session, message.vendor, news.reference
    )
    if case is None:
        handled = Handled("no_case", f"{news.event}: about no case of ours")
    else:
        handled = Handled("recorded", news.event, case, news.reference)
        touched = _taken_up(session, case, message) if news.event in TAKEN_UP else {}
        data = {
            "system": message.vendor,
            "event": news.event,
            "status": news.status,
            "reference": news.reference,
            "account": news.account,
            "person": person_of(session, message.vendor, news.account) if news.account else None,
            "message": message.id,
            **touched,
        }
        append(session, [Draft(case, Action.OUTSIDE_REPORTED, data)], by, now)
    note_handled(session, [(message, handled)], by, now)
    return handled


def _taken_up(session: Session, case: str, message: InboxMessage) -> dict[str, Any]:
    """End the first touch of the gate that waited when the message came; tell of what was late."""
    statement = select(col(Gate.id)).where(
        col(Gate.case_id) == case,
        col(Gate.status) == GateStatus.OPEN,
        col(Gate.opened_at) <= message.received_at,
    )
    waiting = session.scalar(statement)
    if waiting is None:
        return {}
    held(session, waiting)
    return {"gate": waiting, "late": touch(session, waiting, message.received_at)}


def case_named(session: Session, names: tuple[str, ...]) -> str | None:
    """The case that one of some ids names: its own, that of one of its gates, or its alias."""
    for name in names:
        if session.get(Case, name) is not None:
            return name
        statement = select(col(Gate.case_id)).where(col(Gate.id) == name)
        if case := session.scalar(statement) or case_of_alias(session, name):
            return case
    return None
