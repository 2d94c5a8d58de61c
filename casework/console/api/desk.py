"""Who one is, what waits, the next case, and looking a case up."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from casework.console import doing
from casework.console.access import Capability
from casework.console.api.caller import Caller, TheCall, needs
from casework.console.api.case_documents import (
    Found,
    Taken,
    WaitingGate,
    WaitingOut,
    waiting_gate,
)
from casework.console.api.documents import (
    ROWS,
    Cursor,
    Document,
    Limit,
    Listing,
    example,
)
from casework.console.api.once import OnceRoute
from casework.console.api.problems import ANY, CHANGING, declared
from casework.console.identity import TheConsole
from casework.errors import NotFound
from casework.store.desk import board
from casework.store.engine import reading
from casework.store.worklist import page_of_queues
from casework.tokens import Scope

router = APIRouter(route_class=OnceRoute, tags=["desk"])

READ = Depends(needs(Scope.READ))


class Me(Document):
    """Whom a token acts for, and what it allows."""

    model_config = example(
        person="ana", roles=["analyst"], queues=["*"], token="t0123456789abcdef0123",
        scopes=["read"], ends_at="2026-06-01T00:00:00Z",
    )  # fmt: skip

    person: str
    roles: list[str]
    queues: list[str] = Field(description="`*` is every queue.")
    token: str = Field(description="The token's id.")
    scopes: list[str]
    ends_at: datetime


@router.get("/me", responses=declared(ANY))
def me(call: TheCall) -> Me:
    """Say whom the token acts for; any token may ask."""
    viewer = call.visit.viewer
    return Me(
        person=viewer.id,
        roles=sorted(viewer.roles),
        queues=sorted(viewer.queues),
        token=call.token,
        scopes=sorted(call.scopes),
        ends_at=call.ends_at,
    )


@router.get("/queues", dependencies=[READ], responses=declared(ANY))
def queues(console: TheConsole, visit: Caller) -> list[WaitingOut]:
    """What waits in each of one's queues; those in which nothing waits are left out."""
    with reading(console.engine) as session:
        waiting = board(session, doing.queues_seen(console, visit), console.clock())
    return [
        WaitingOut(
            title=console.bundle.queues[each.queue].title,
            **{name: getattr(each, name) for name in WaitingOut.model_fields if name != "title"},
        )
        for each in waiting
    ]


@router.get("/approvals", dependencies=[READ], responses=declared(ANY))
def approvals(
    console: TheConsole,
    visit: Caller,
    queue: Annotated[
        str | None, Query(pattern=r"^[\w.-]{1,200}$", description="Only this queue.")
    ] = None,
    limit: Limit = ROWS,
    cursor: Cursor = None,
) -> Listing[WaitingGate]:
    """The gates that wait in one's queues, by urgency: the order in which they come up."""
    seen = doing.queues_seen(console, visit)
    if queue is not None and queue not in seen:
        raise NotFound("there is no such queue among yours")
    wanted = seen if queue is None else [queue]
    with reading(console.engine) as session:
        rows = page_of_queues(session, wanted, console.clock(), limit + 1, cursor or "")
    more = rows[limit - 1].gate.id if len(rows) > limit else None
    return Listing(items=[waiting_gate(row) for row in rows[:limit]], next_cursor=more)


@router.post(
    "/approvals/next",
    dependencies=[Depends(needs(Scope.DECIDE, Capability.WORK))],
    responses=declared(CHANGING),
)
def take_next(console: TheConsole, visit: Caller) -> Taken:
    """Claim the most urgent gate that one may answer."""
    gate = doing.take_next(console, visit)
    return Taken(gate=gate and gate.id, case=gate and gate.case_id)


@router.get("/find", dependencies=[READ], responses=declared(ANY))
def find(
    console: TheConsole,
    visit: Caller,
    reference: Annotated[
        str,
        Query(
            pattern=r"^[^\x00]{1,400}$",
            description="A case's or a gate's id, or `source:external id`.",
        ),
    ],
) -> Found:
    """The case that a reference names."""
    return Found(case=doing.named_case(console, visit, reference))
