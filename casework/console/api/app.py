"""The API as an application of its own, so that its errors have one shape whatever fails."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from casework.console.api import cases, desk, gates, incidents, leads, ledger, quarantine, reviews
from casework.console.api.caller import Limits
from casework.console.api.once import HEADER, KEY
from casework.console.api.problems import (
    Problem,
    casework_error,
    http_error,
    request_error,
    unforeseen,
)
from casework.console.ports import Console
from casework.errors import CaseworkError

DESCRIPTION: Final = """
What the console's pages do, for programs. A token acts for a person: their roles and queues hold,
and the history names them. Every failure is a problem of RFC 9457 with a stable `code`.
"""

_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same key with the same request is answered the same for a day.",
    "schema": {"type": "string", "pattern": KEY.pattern},
}


class Api(FastAPI):
    """The application, and its description."""

    def openapi(self) -> dict[str, Any]:
        """The description, with the shape of errors and the idempotency key in it."""
        if self.openapi_schema is None:
            described = super().openapi()
            schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = described["components"]["schemas"]
            schemas.update(schema.pop("$defs", {}), Problem=schema)
            for path in described["paths"].values():
                if "post" in path:
                    path["post"].setdefault("parameters", []).append(_KEY)
        return super().openapi()


def create_api(console: Console) -> FastAPI:
    """Make the application; nothing is opened or asked yet."""
    api = Api(
        title="Casework",
        version="1",
        description=DESCRIPTION.strip(),
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    api.state.console = console
    api.state.limits = Limits(console.api_per_minute)
    for part in (desk, cases, gates, reviews, leads, quarantine, incidents, ledger):
        api.include_router(part.router)
    api.add_exception_handler(CaseworkError, casework_error)
    api.add_exception_handler(RequestValidationError, request_error)
    api.add_exception_handler(HTTPException, http_error)
    api.add_exception_handler(Exception, unforeseen)
    return api
