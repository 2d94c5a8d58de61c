"""Requests under an idempotency key: done once, and answered the same ever after."""

import re
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from casework.console.api.caller import identified
from casework.console.api.problems import of_error, of_request
from casework.console.identity import console_of
from casework.console.ports import Console
from casework.errors import CaseworkError, InputError
from casework.store.engine import transaction
from casework.store.replies import Keyed, begin_reply, drop_reply, keep_reply
from casework.store.tables import Reply

HEADER: Final = "Idempotency-Key"
#: Told with an answer that is not new.
REPLAYED: Final = "Idempotency-Replayed"
#: The form of a key: one to two hundred visible characters of ASCII.
KEY: Final = re.compile("^[!-~]{1,200}$")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OnceRoute(APIRoute):
    """A route whose POST may carry an idempotency key."""

    def get_route_handler(self) -> Handler:
        """Answer from what was kept, or answer and keep it."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if request.method != "POST" or HEADER not in request.headers:
                return await answer(request)
            console = console_of(request)
            keyed = await _keyed(request)
            kept = await run_in_threadpool(_begin, console, keyed)
            if kept is not None:
                return _replayed(kept)
            return await _answered(console, keyed, request, answer)

        return handler


async def _keyed(request: Request) -> Keyed:
    """The request's token and key, and the digest of all that it asks for."""
    call = await run_in_threadpool(identified, request)
    key = request.headers[HEADER]
    if not KEY.fullmatch(key):
        raise InputError("an idempotency key has 1 to 200 characters of ASCII, and no spaces")
    asked = (request.method, request.url.path, request.url.query)
    body = await request.body()
    digest = sha256("\x00".join(asked).encode() + b"\x00" + body).hexdigest()
    return Keyed(call.token, key, digest)


async def _answered(console: Console, keyed: Keyed, request: Request, answer: Handler) -> Response:
    """Answer, and keep the answer unless asking again could give a better one."""
    response: Response | None = None
    try:
        response = await answer(request)
    except RequestValidationError as error:
        response = of_request(error)
    except CaseworkError as error:
        response = of_error(error)
    finally:
        # An error that nobody foresaw goes on its way, and the request may be sent again.
        await run_in_threadpool(_end, console, keyed, response)
    return response


def _begin(console: Console, keyed: Keyed) -> Reply | None:
    with transaction(console.engine) as session:
        return begin_reply(session, keyed, console.clock())


def _end(console: Console, keyed: Keyed, response: Response | None) -> None:
    with transaction(console.engine) as session:
        if response is None or response.status_code >= 500:
            drop_reply(session, keyed)
        else:
            body, kind = bytes(response.body).decode(), response.headers.get("content-type", "")
            keep_reply(session, keyed, response.status_code, body, kind, console.clock())


def _replayed(kept: Reply) -> Response:
    headers = {REPLAYED: "true"} | ({"Content-Type": kept.media_type} if kept.media_type else {})
    return Response(kept.body, kept.status or 200, headers)
