"""Events for open pages: that something has changed, and nothing of what."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from casework.accounts import fingerprint
from casework.console import urls
from casework.console.identity import TheConsole, Visit, glance_of
from casework.console.live import Listener, Live
from casework.console.pages.desk import queues_of
from casework.console.ports import Console
from casework.console.readable import check_readable
from casework.errors import InputError, NotFound
from casework.store.engine import reading

router = APIRouter()


@router.get(urls.EVENTS)
async def events(
    request: Request,
    console: TheConsole,
    visit: Annotated[Visit, Depends(glance_of)],
    case: str = "",
    queue: str = "",
    since: Annotated[int, Query(ge=0, lt=2**62)] = 0,
) -> StreamingResponse:
    """What happens to a case, in a queue, or in all of one's own (``*``), as it happens."""
    listener = await asyncio.to_thread(_listener, console, visit, case, queue)
    live: Live = request.app.state.live
    stream: AsyncIterator[str] = live.listen(listener, since)
    return StreamingResponse(stream, media_type="text/event-stream")


def _listener(console: Console, visit: Visit, case: str, queue: str) -> Listener:
    person, session_ = visit.viewer.id, fingerprint(visit.secret)
    if case:
        with reading(console.engine) as session:
            check_readable(session, visit, case)
        return Listener(person, session_, case_id=case)
    if queue == "*":
        return Listener(person, session_, queues=frozenset(queues_of(console, visit)))
    if not queue:
        raise InputError("say what to listen to", hint="case=ID, queue=ID or queue=*")
    found = console.bundle.queues.get(queue)
    if found is None or not visit.viewer.sees(found):
        raise NotFound("there is no such queue among yours")
    return Listener(person, session_, queues=frozenset({queue}))
