"""What other systems say about a case, in its history."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from casework.inbox.telling import News
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.identities import person_of
from casework.store.inbox import Handled, case_of_reference, note_handled
from casework.store.ledger import append
from casework.store.tables import Case, Gate, InboxMessage


def note_news(
    session: Session, message: InboxMessage, news: News, by: Provenance, now: datetime
) -> Handled:
    """Write what a message tells into the history of the case it is about.

    The case is the one it names, or the one that an earlier message named for the same thing.
    """
    case = case_named(session, news.about) or case_of_reference(
        session, message.vendor, news.reference
    )
    if case is None:
        handled = Handled("no_case", f"{news.event}: about no case of ours")
    else:
        handled = Handled("recorded", news.event, case, news.reference)
        data = {
            "system": message.vendor,
            "event": news.event,
            "status": news.status,
            "reference": news.reference,
            "account": news.account,
            "person": person_of(session, message.vendor, news.account) if news.account else None,
            "message": message.id,
        }
        append(session, [Draft(case, Action.OUTSIDE_REPORTED, data)], by, now)
    note_handled(session, [(message, handled)], by, now)
    return handled


def case_named(session: Session, names: tuple[str, ...]) -> str | None:
    """The case that one of some ids names: its own, or that of one of its gates."""
    for name in names:
        if session.get(Case, name) is not None:
            return name
        statement = select(col(Gate.case_id)).where(col(Gate.id) == name)
        if case := session.scalar(statement):
            return case
    return None
