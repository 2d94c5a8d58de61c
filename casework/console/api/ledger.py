"""For auditors: the history of all, searched, verified and taken away."""

from datetime import datetime
from io import BytesIO
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, Field

from casework.console.access import Capability
from casework.console.api.caller import Caller, needs
from casework.console.api.documents import ROWS, Document, Id, Limit, Listing, example
from casework.console.api.once import OnceRoute
from casework.console.api.problems import ANY, CHANGING, declared
from casework.console.identity import TheConsole
from casework.console.readable import check_shown
from casework.ledger.entries import Action
from casework.store.audit import verify
from casework.store.engine import reading
from casework.store.export import export
from casework.store.ledger import search_entries
from casework.store.qa.blinding import hidden_from
from casework.store.restrictions import kept_from, mentions_kept
from casework.tokens import Scope

router = APIRouter(
    route_class=OnceRoute,
    tags=["ledger"],
    prefix="/ledger",
    dependencies=[Depends(needs(Scope.AUDIT, Capability.AUDIT))],
)

Chain = Annotated[str | None, Query(pattern=r"^[^\x00]{1,400}$")]
Number = Annotated[str | None, Query(pattern="^[1-9][0-9]{0,17}$")]


class EntryOut(Document):
    """An entry of the ledger: its canonical body, and the digest of that."""

    model_config = example(
        id=17, chain="c4f1", position=3, action="case.viewed", actor="ana",
        at="2026-03-02T09:30:00Z", body={"action": "case.viewed"}, digest="9f86d081884c7d65",
    )  # fmt: skip

    id: int
    chain: str
    position: int
    action: str
    actor: str
    at: datetime
    body: dict[str, Any]
    digest: str


class Verified(Document):
    """What a verification looked at, and the first fault where there is one."""

    model_config = example(
        verified=True, entries=1200, chains=90, sealed=1200, unsealed=0, checkpoints=4,
        root="9f86d081884c7d65", fault=None,
    )  # fmt: skip

    verified: bool
    entries: int
    chains: int
    sealed: int
    unsealed: int
    checkpoints: int
    root: str | None
    fault: dict[str, str] | None = Field(description="Its `kind`, `where` and `message`.")


@router.get("/entries", responses=declared(ANY))
def search(
    console: TheConsole,
    visit: Caller,
    chain: Chain = None,
    actor: Chain = None,
    action: Action | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    limit: Limit = ROWS,
    cursor: Number = None,
) -> Listing[EntryOut]:
    """Entries of the history by chain, actor, action and time, the newest first."""
    with reading(console.engine) as session:
        found = search_entries(
            session,
            chain=chain or "",
            actor=actor or "",
            action=action or "",
            since=since,
            until=until,
            before=int(cursor) if cursor else None,
            limit=limit + 1,
            unless=kept_from(visit.viewer.id),
        )
        hidden = hidden_from(session, visit.viewer.id, {entry.chain for entry in found})
        kept = mentions_kept(session, visit.viewer.id, found)
    items = [
        EntryOut.model_validate(entry.model_dump() | {"body": orjson.loads(entry.body)})
        for entry in found[:limit]
        if entry.chain not in hidden and entry.digest not in kept
    ]
    more = str(found[limit - 1].id) if len(found) > limit else None
    return Listing(items=items, next_cursor=more)


@router.post("/verify", responses=declared(CHANGING))
def check(console: TheConsole) -> Verified:
    """Check the whole history, reading alone."""
    return Verified.model_validate(verify(console.engine, console.verifier()).as_dict())


@router.get(
    "/cases/{case}/export",
    response_class=Response,
    responses=declared(ANY)
    | {200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}},
)
def take_away(console: TheConsole, visit: Caller, case: Id) -> Response:
    """A case's sealed entries as JSON lines, each with its proof."""
    with reading(console.engine) as session:
        check_shown(session, visit, case)
    lines = BytesIO()
    export(console.engine, console.verifier(), lines.write, case)
    return Response(lines.getvalue(), media_type="application/jsonl")
