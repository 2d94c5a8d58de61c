"""What was answered under an idempotency key, so that the same request is answered the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, update

# PostgreSQL's INSERT says ON CONFLICT in the same words as SQLite's, and is rendered for both.
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from casework.errors import Conflict
from casework.store.tables import Reply

#: How long an answer is kept, and how long a request may be in hand before it counts as lost.
KEPT: Final = timedelta(hours=24)
IN_HAND: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request under a key: whose token, which key, and the digest of all that is asked."""

    token: str
    key: str
    digest: str


def begin_reply(session: Session, keyed: Keyed, now: datetime) -> Reply | None:
    """Take a request in hand; the kept answer where it was answered before, None where not.

    Raises:
        Conflict: another request was sent under this key, or this one is in hand.
    """
    session.execute(delete(Reply).where(col(Reply.token) == keyed.token, col(Reply.ends_at) <= now))
    values = {"token": keyed.token, "key": keyed.key, "request_digest": keyed.digest}
    new = insert(Reply).values(**values, body="", media_type="", ends_at=now + IN_HAND)
    if session.execute(new.on_conflict_do_nothing().returning(col(Reply.key))).first():
        return None
    found = session.get_one(Reply, (keyed.token, keyed.key))
    if found.request_digest != keyed.digest:
        raise Conflict(
            "this idempotency key was used for another request",
            reason="key_used",
            hint="use a new key for each request",
        )
    if found.status is None:
        raise Conflict("this request is being answered", reason="in_hand", hint="ask again soon")
    return found


def keep_reply(
    session: Session, keyed: Keyed, status: int, body: str, media_type: str, now: datetime
) -> None:
    """Keep what was answered."""
    kept = {"status": status, "body": body, "media_type": media_type, "ends_at": now + KEPT}
    session.execute(update(Reply).where(_is(keyed)).values(**kept))


def drop_reply(session: Session, keyed: Keyed) -> None:
    """Let a request be asked anew that came to no answer worth keeping."""
    session.execute(delete(Reply).where(_is(keyed)))


def _is(keyed: Keyed) -> ColumnElement[bool]:
    return and_(
        col(Reply.token) == keyed.token,
        col(Reply.key) == keyed.key,
        col(Reply.request_digest) == keyed.digest,
    )
