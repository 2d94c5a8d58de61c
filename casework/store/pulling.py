"""Pulling in the store: a page of items and the cursor behind it are recorded together.

A pull that is killed has recorded a page and moved the cursor, or has done neither.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Engine
from sqlmodel import Session

from casework.errors import Conflict
from casework.intake import Counts
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.ports import Page
from casework.rows import ROW_LIMIT, BadRow, Row
from casework.rows.jsonl import json_rows
from casework.store.incoming import Incoming
from casework.store.intake import finish_intake, lock_source, start_intake
from casework.store.intake_run import record_rows
from casework.store.ledger import append
from casework.store.straight import StraightThrough
from casework.store.tables import PullCursor


def cursor_of(session: Session, source: str) -> str | None:
    """Where the next pull of a source goes on; None where it has never been pulled."""
    found = session.get(PullCursor, source)
    return found.cursor if found else None


def record_page(
    engine: Engine,
    incoming: Incoming,
    before: str | None,
    page: Page,
    by: Provenance,
    now: datetime,
    *,
    through: StraightThrough | None = None,
) -> Counts:
    """Record the items of a page and move the cursor, in one transaction.

    Raises:
        Conflict: somebody else has pulled the source in the meantime; nothing is recorded.
    """

    def move(session: Session) -> None:
        move_cursor(session, incoming, before, page, by, now)

    return record_rows(engine, incoming, rows_of(page.items), by, now, through=through, first=move)


def move_cursor(
    session: Session,
    incoming: Incoming,
    before: str | None,
    page: Page,
    by: Provenance,
    now: datetime,
) -> None:
    """Move a source's cursor from where a page was asked for to behind it.

    The intake that the page belongs to is begun, and one that an earlier pull left unfinished is
    finished.

    Raises:
        Conflict: the cursor is somewhere else by now.
    """
    lock_source(session, incoming.source)
    kept = session.get(PullCursor, incoming.source, with_for_update=True, populate_existing=True)
    kept = kept or PullCursor(source=incoming.source, moved_at=now)
    if kept.cursor != before:
        raise Conflict(f"{incoming.source} is being pulled by somebody else", hint="try again")
    if kept.intake_id != incoming.intake_id:
        if kept.intake_id is not None:
            finish_intake(session, kept.intake_id, by, now)
        start_intake(session, incoming, "pull", by, now)
    kept.cursor, kept.intake_id, kept.moved_at = page.cursor, incoming.intake_id, now
    session.add(kept)
    session.flush()
    data = {
        "source": incoming.source,
        "intake": incoming.intake_id,
        "items": len(page.items),
        "from": before,
        "to": page.cursor,
    }
    append(session, [Draft(SYSTEM, Action.CURSOR_MOVED, data)], by, now)


def rows_of(items: Iterable[Mapping[str, Any]]) -> list[Row | BadRow]:
    """The items as rows, numbered within their page and held to what a row of a file is held to."""
    lines = (orjson.dumps(item) for item in items)
    return list(json_rows(enumerate(lines, start=1), ROW_LIMIT))
