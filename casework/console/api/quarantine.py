"""For leads: rows that could not become cases, tried again or given up."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from casework.console import doing
from casework.console.access import Capability
from casework.console.api.caller import Caller, needs
from casework.console.api.documents import (
    ROWS,
    Body,
    Cursor,
    Document,
    Id,
    Limit,
    Listing,
    Text,
    example,
)
from casework.console.api.once import OnceRoute
from casework.console.api.problems import ANY, CHANGING, declared
from casework.console.identity import TheConsole
from casework.store.engine import reading, transaction
from casework.store.quarantine import discard_row, list_rows
from casework.store.retrying import Correction
from casework.tokens import Scope

router = APIRouter(
    route_class=OnceRoute,
    tags=["leads"],
    prefix="/quarantine",
    dependencies=[Depends(needs(Scope.LEAD, Capability.OVERVIEW))],
)


class RowOut(Document):
    """A row that could not become a case; not what it says."""

    model_config = example(
        id="q1f", intake_id="i1", source="zendesk", line=7, reason="no_id",
        detail="ticket has no id", status="waiting", quarantined_at="2026-03-02T09:30:00Z",
    )  # fmt: skip

    id: str
    intake_id: str
    source: str
    line: int
    reason: str
    detail: str
    status: str
    quarantined_at: datetime


class CorrectionIn(Body):
    """What is changed about a row before it is read again; nothing: it is read as it was."""

    model_config = example(fields={"ticket_id": "T-17"}, data=None)

    fields: dict[str, Text] = Field({}, description="New texts of the row's own fields.")
    data: Text | None = Field(None, description="The whole row, corrected.")


class DiscardIn(Body):
    """Why a row may be given up; it is kept in the history."""

    model_config = example(reason="a test message")

    reason: Annotated[str, Field(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=1000)]


class RetriedOut(Document):
    """What came of a row that was read again."""

    model_config = example(row="q1f", case="c4f1", outcome="opened")

    row: str
    case: str
    outcome: str = Field(description="`opened`, `revised` or `duplicates`.")


@router.get("", responses=declared(ANY))
def quarantine(console: TheConsole, limit: Limit = ROWS, cursor: Cursor = None) -> Listing[RowOut]:
    """Rows that could not become cases, and why; never what they say."""
    with reading(console.engine) as session:
        rows = list_rows(session, limit=limit + 1, after=cursor or "")
    more = rows[limit - 1].id if len(rows) > limit else None
    return Listing(items=[RowOut.model_validate(row) for row in rows[:limit]], next_cursor=more)


@router.post("/{row}/retry", responses=declared(CHANGING))
def retry(console: TheConsole, visit: Caller, row: Id, body: CorrectionIn) -> RetriedOut:
    """Read a row again, as it was or corrected, and open its case."""
    raw = body.data.encode() if body.data is not None else None
    correction = Correction(raw, body.fields or None)
    done = doing.retry_quarantined(console, visit, row, correction)
    return RetriedOut(row=row, case=done.case_id, outcome=done.outcome)


@router.post("/{row}/discard", responses=declared(CHANGING))
def discard(console: TheConsole, visit: Caller, row: Id, body: DiscardIn) -> RowOut:
    """Give a row up."""
    with transaction(console.engine) as session:
        found = discard_row(session, row, body.reason, visit.by, console.clock())
        return RowOut.model_validate(found)
