"""Errors as clients see them: application/problem+json (RFC 9457) naming field, value and what is right."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bestex.domain.errors import BestexError, InvalidInput, TooManyRequests, Unauthenticated
from bestex.messages.codec import json_bytes

log = structlog.get_logger()

_STATUS = {
    "unauthenticated": 401,
    "forbidden": 403,
    "too_many_requests": 429,
    "invalid_input": 422,
    "invalid_order": 422,
    "invalid_data": 422,
    "not_found": 404,
    "conflict": 409,
    "outdated": 412,
    "limit_breached": 409,
    "stale_market_data": 503,
    "venue_unavailable": 503,
    "store_unavailable": 503,
    "bus_unavailable": 503,
    "fenced": 503,
    "service_unavailable": 503,
}
_TITLES = {
    400: "Bad request",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Precondition failed",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


class FieldProblem(BaseModel):
    """One thing that is wrong."""

    field: str | None = Field(description="path of the field, e.g. execution_instructions.max_participation_rate")
    value: str | None = Field(description="what was sent, as text, cut at 200 characters")
    expected: str | None = Field(description="what would be right")
    detail: str


class Problem(BaseModel):
    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="stable: invalid_input, invalid_order, not_found, conflict, ...")
    detail: str
    errors: list[FieldProblem]


def problem(status: int, code: str, detail: str, errors: list[FieldProblem] | None = None) -> Response:
    body = Problem(title=_TITLES.get(status, "Error"), status=status, code=code, detail=detail, errors=errors or [])
    return Response(json_bytes(body.model_dump()), status_code=status, media_type="application/problem+json")


def document(error: BestexError) -> Problem:
    errors = error.errors if isinstance(error, InvalidInput) else (error,)
    fields = [FieldProblem(field=e.field, value=e.value, expected=e.expected, detail=e.message) for e in errors]
    status = _STATUS.get(error.code, 400)
    return Problem(
        title=_TITLES.get(status, "Error"), status=status, code=error.code, detail=error.message, errors=fields
    )


def of(error: BestexError) -> Response:
    found = document(error)
    answer = problem(found.status, found.code, found.detail, found.errors)
    if isinstance(error, Unauthenticated):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def install(app: FastAPI) -> None:
    """Every error of the application leaves as a problem document."""

    @app.exception_handler(BestexError)
    async def refused(_: Request, error: BestexError) -> Response:
        return of(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        fields = [_field(item) for item in error.errors()]
        return problem(422, "invalid_input", "; ".join(item.detail for item in fields), fields)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}.get(
            error.status_code, "bad_request"
        )
        return problem(error.status_code, code, str(error.detail))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        log.error("request failed", path=request.url.path, error=repr(error), exc_info=error)
        return problem(500, "internal_error", "the desk could not answer; the log has the reason")


def _field(item: dict[str, Any]) -> FieldProblem:
    place = [str(part) for part in item["loc"] if part not in ("body", "query", "path", "header")]
    name = ".".join(place) or "body"
    seen = item.get("input")
    if item["type"] == "extra_forbidden":
        return FieldProblem(
            field=name, value=_short(seen), expected="no such field", detail=f"{name} is not a known field"
        )
    if item["type"] == "missing":
        return FieldProblem(field=name, value=None, expected="a value", detail=f"{name} is missing")
    expected = item.get("ctx", {}).get("expected") or item["msg"].removeprefix("Value error, ")
    return FieldProblem(
        field=name, value=_short(seen), expected=str(expected), detail=f"{name} {_short(seen)} is wrong: {expected}"
    )


def _short(value: object) -> str:
    return (value if isinstance(value, str) else repr(value) if not hasattr(value, "is_finite") else str(value))[:200]
