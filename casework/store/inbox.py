"""The inbox: posts as they came, in the order they came, and what became of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from casework.errors import Conflict, InputError, NotFound
from casework.inbox.posts import Kept
from casework.ledger.entries import Action, Draft, Provenance
from casework.store.bulk import stored_time
from casework.store.engine import is_sqlite
from casework.store.ledger import append
from casework.store.lookup import among
from casework.store.tables import InboxMessage

WAITING: Final = "waiting"
DONE: Final = "done"
FAILED: Final = "failed"
DISCARDED: Final = "discarded"

_COLUMNS: Final = (
    "id",
    "source",
    "vendor",
    "headers",
    "body",
    "size",
    "digest",
    "repeats",
    "status",
    "detail",
    "received_at",
)


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a message. ``outcome`` and ``detail`` quote nothing of what it says."""

    outcome: str
    detail: str = ""
    case_id: str | None = None
    reference: str | None = None


def receive(session: Session, posts: Sequence[Kept]) -> None:
    """Keep posts, each once; one that is known already is counted."""
    times = Counter(post.id for post in posts)
    each = {post.id: post for post in posts}
    mark = "?" if is_sqlite(session) else "%s"
    statement = (
        f"INSERT INTO inbox ({', '.join(_COLUMNS)}) VALUES ({', '.join([mark] * len(_COLUMNS))}) "
        "ON CONFLICT (id) DO UPDATE SET repeats = inbox.repeats + excluded.repeats + 1"
    )
    rows = [_row(session, post, times[post.id] - 1) for post in each.values()]
    session.connection().exec_driver_sql(statement, rows)


def _row(session: Session, post: Kept, repeats: int) -> tuple[Any, ...]:
    return (
        post.id,
        post.source,
        str(post.vendor),
        orjson.dumps(dict(post.headers)).decode(),
        post.body,
        len(post.body),
        sha256(post.body).hexdigest(),
        repeats,
        WAITING,
        "",
        stored_time(session, post.received_at),
    )


def waiting_messages(session: Session, after: int = 0, limit: int = 500) -> list[InboxMessage]:
    """Messages that nobody has read yet, in order, those past a number."""
    statement = (
        select(InboxMessage)
        .where(col(InboxMessage.status) == WAITING, col(InboxMessage.number) > after)
        .order_by(col(InboxMessage.number))
        .limit(limit)
    )
    return list(session.scalars(statement))


def held_messages(session: Session, ids: Sequence[str]) -> list[InboxMessage]:
    """Those of some messages that still wait, in order, held until the transaction ends."""
    statement = (
        select(InboxMessage)
        .where(among(session, col(InboxMessage.id), set(ids)))
        .order_by(col(InboxMessage.number))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [each for each in session.scalars(statement) if each.status == WAITING]


def number_waiting(session: Session) -> int:
    """How many messages nobody has read yet."""
    statement = select(func.count()).select_from(InboxMessage)
    return session.scalar(statement.where(col(InboxMessage.status) == WAITING)) or 0


def newest_number(session: Session) -> int:
    """The number of the newest message; 0 where there is none."""
    return session.scalar(select(func.max(col(InboxMessage.number)))) or 0


def list_messages(
    session: Session,
    *,
    status: str | None = None,
    source: str | None = None,
    outcome: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[InboxMessage]:
    """Messages that match all of the filters given, the newest first, without their bodies."""
    statement = select(InboxMessage).options(defer(InboxMessage.body))  # type: ignore[arg-type]
    for column, value in (
        (InboxMessage.status, status),
        (InboxMessage.source, source),
        (InboxMessage.outcome, outcome),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    ordered = statement.order_by(col(InboxMessage.number).desc())
    return list(session.scalars(ordered.limit(limit).offset(offset)))


def message_by_id(session: Session, identity: str, *, lock: bool = False) -> InboxMessage:
    """One message.

    Raises:
        NotFound: there is no such message.
    """
    statement = select(InboxMessage).where(col(InboxMessage.id) == identity)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(f"there is no message {identity}", hint="casework inbox list")
    return found


def case_of_reference(session: Session, vendor: str, reference: str) -> str | None:
    """The case that an earlier message of a vendor named for the same thing of theirs."""
    statement = (
        select(col(InboxMessage.case_id))
        .where(
            col(InboxMessage.vendor) == vendor,
            col(InboxMessage.reference) == reference,
            col(InboxMessage.case_id).is_not(None),
        )
        .order_by(col(InboxMessage.number).desc())
        .limit(1)
    )
    return session.scalar(statement)


def note_handled(
    session: Session,
    results: Sequence[tuple[InboxMessage, Handled]],
    by: Provenance,
    now: datetime,
) -> None:
    """Say of messages that they have been read, and what came of each."""
    drafts = []
    for message, handled in results:
        _settle(session, message, DONE, handled, by, now)
        drafts.append(_draft(message, Action.INBOX_HANDLED, {"outcome": handled.outcome}))
    session.flush()
    append(session, drafts, by, now)


def note_failed(
    session: Session, message: InboxMessage, handled: Handled, by: Provenance, now: datetime
) -> None:
    """Say of a message that it cannot be understood; it is kept, for people to look at."""
    _settle(session, message, FAILED, handled, by, now)
    session.flush()
    draft = _draft(message, Action.INBOX_FAILED, {"reason": handled.outcome})
    append(session, [draft], by, now)


def retry_message(session: Session, identity: str, by: Provenance, now: datetime) -> InboxMessage:
    """Let a message that failed be read again, with the next round.

    Raises:
        NotFound: there is no such message.
        Conflict: it did not fail.
    """
    message = _failed(session, identity)
    _settle(session, message, WAITING, Handled(""), by, now)
    message.outcome = message.handled_at = message.handled_by = None
    session.flush()
    append(session, [_draft(message, Action.INBOX_RETRIED, {})], by, now)
    return message


def discard_message(
    session: Session, identity: str, reason: str, by: Provenance, now: datetime
) -> InboxMessage:
    """Give a message that failed up, for a reason that stays in the history.

    Raises:
        NotFound: there is no such message.
        Conflict: it did not fail.
        InputError: no reason is given.
    """
    if not reason.strip():
        raise InputError("a message is discarded for a reason", hint='--reason "..."')
    message = _failed(session, identity)
    handled = Handled(message.outcome or "", message.detail, message.case_id, message.reference)
    _settle(session, message, DISCARDED, handled, by, now)
    session.flush()
    draft = _draft(message, Action.INBOX_DISCARDED, {"reason": reason.strip()})
    append(session, [draft], by, now)
    return message


def _failed(session: Session, identity: str) -> InboxMessage:
    message = message_by_id(session, identity, lock=True)
    if message.status != FAILED:
        raise Conflict(
            f"message {identity} is {message.status}", hint="only what failed waits for people"
        )
    return message


def _settle(
    session: Session,
    message: InboxMessage,
    status: str,
    handled: Handled,
    by: Provenance,
    now: datetime,
) -> None:
    message.status, message.outcome, message.detail = status, handled.outcome, handled.detail
    message.case_id = handled.case_id
    message.reference = handled.reference
    message.handled_at, message.handled_by = now, by.actor
    session.add(message)


def _draft(message: InboxMessage, action: Action, data: dict[str, Any]) -> Draft:
    """An entry in the history of the source's posts; the digest is that of the body."""
    named = {"message": message.id, "digest": message.digest, "case": message.case_id}
    return Draft(f"inbox:{message.source}", action, {**named, **data})
