"""Every failure of the API in one shape: RFC 9457, made of our own errors."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from casework.errors import (
    CaseworkError,
    Conflict,
    InputError,
    NotAllowed,
    NotFound,
    SignInRefused,
    StoreError,
    TooManyRequests,
)

MEDIA_TYPE: Final = "application/problem+json"


class Fault(BaseModel):
    """One thing wrong with a request; what was sent is not repeated."""

    where: str = Field(description="The place, such as body.verdict.")
    message: str


class Problem(BaseModel):
    """Why something was not done, and the way out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Conflict",
                    "status": 409,
                    "detail": "ben has this gate; ask them, or a lead",
                    "code": "conflict",
                    "hint": "look again: casework approvals list",
                    "reason": "held",
                    "faults": [],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    detail: str
    code: str = Field(description="Stable; the codes are in docs/cli.md.")
    hint: str = Field("", description="What to do next.")
    reason: str = Field("", description="The guard's stable reason, where it was the guard.")
    faults: list[Fault] = Field([], description="What is wrong with the request, all at once.")


#: What any operation may answer beside its own; the class gives the status and the code.
ANY: Final[Mapping[type[CaseworkError], str]] = {
    SignInRefused: "No token, or one that does not count.",
    NotAllowed: "The token's scopes or its person's roles do not allow it, or the guard refused.",
    NotFound: "There is no such thing among those of the token's person.",
    InputError: "The request cannot be used; `faults` says where.",
    TooManyRequests: "The token asks too often; `Retry-After` says for how long to wait.",
    StoreError: "The store does not answer.",
}

#: What an operation that changes something may answer beside those.
CHANGING: Final[Mapping[type[CaseworkError], str]] = {
    **ANY,
    Conflict: "Somebody was faster, the evidence is another, or the same request is in hand.",
}


def declared(errors: Mapping[type[CaseworkError], str]) -> dict[int | str, dict[str, Any]]:
    """Errors as an operation of OpenAPI declares them."""
    return {error.status: _declared(error, text) for error, text in errors.items()}


def _declared(error: type[CaseworkError], text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    told: dict[str, Any] = {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}
    name = {SignInRefused: "WWW-Authenticate", TooManyRequests: "Retry-After"}.get(error)
    if name:
        told["headers"] = {name: {"required": True, "schema": {"type": "string"}}}
    return told


def of_error(error: CaseworkError) -> Response:
    """The answer that tells of one of our errors."""
    headers = {}
    if isinstance(error, SignInRefused):
        headers["WWW-Authenticate"] = 'Bearer realm="casework"'
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    reason = str(getattr(error, "reason", ""))
    return _answer(
        error.status, error.message, error.code, hint=error.hint, reason=reason, headers=headers
    )


def of_request(error: RequestValidationError) -> Response:
    """The answer that tells what is wrong with a request, place by place."""
    faults = [
        Fault(where=".".join(map(str, fault["loc"])), message=str(fault["msg"]))
        for fault in error.errors()
    ]
    return _answer(InputError.status, "the request cannot be used", InputError.code, faults=faults)


async def casework_error(request: Request, error: Exception) -> Response:
    """Answer for an error of ours."""
    assert isinstance(error, CaseworkError)
    return of_error(error)


async def request_error(request: Request, error: Exception) -> Response:
    """Answer for a request that does not have the form it must have."""
    assert isinstance(error, RequestValidationError)
    return of_request(error)


async def http_error(request: Request, error: Exception) -> Response:
    """Answer for a path or a method that there is not, or a body that is not JSON."""
    assert isinstance(error, HTTPException)
    known = {404: NotFound, 400: InputError}.get(error.status_code)
    code, status = (known.code, known.status) if known else ("error", error.status_code)
    return _answer(status, str(error.detail), code, headers=dict(error.headers or {}))


async def unforeseen(request: Request, error: Exception) -> Response:
    """Answer for what nobody foresaw; the error itself goes to the log alone."""
    return _answer(500, "something went wrong that nobody foresaw", CaseworkError.code)


def _answer(
    status: int,
    detail: str,
    code: str,
    *,
    hint: str = "",
    reason: str = "",
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
        reason=reason,
        faults=list(faults),
    )
    return JSONResponse(
        problem.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )
