"""Errors over HTTP, as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from agents.training.works import NotAllowedError, TooManyJobsError
from core.errors import (
    ApprovalError,
    ApprovalNeededError,
    BusyError,
    ConfigError,
    ConflictError,
    DeliveryError,
    DeniedError,
    GitHubError,
    NotFoundError,
    RatchetError,
    StorageError,
    UnavailableError,
    UsageError,
)

__all__ = ["Problem", "describe_whole", "handle_errors", "problem", "problems"]

MEDIA_TYPE = "application/problem+json"

STATUS: tuple[tuple[type[RatchetError], HTTPStatus], ...] = (
    (ConflictError, HTTPStatus.CONFLICT),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (DeniedError, HTTPStatus.FORBIDDEN),
    (ApprovalNeededError, HTTPStatus.CONFLICT),
    (ApprovalError, HTTPStatus.CONFLICT),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (TooManyJobsError, HTTPStatus.TOO_MANY_REQUESTS),
    (ConfigError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UsageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DeliveryError, HTTPStatus.CONFLICT),
    (GitHubError, HTTPStatus.BAD_GATEWAY),
    (StorageError, HTTPStatus.INSUFFICIENT_STORAGE),
    (BusyError, HTTPStatus.SERVICE_UNAVAILABLE),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
)


class Problem(BaseModel):
    """What is wrong (`title`, `detail`), where, and what to try."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    where: str = ""
    hint: str = Field(default="", description="what to try")
    approval_id: str = Field(default="", description="the question to a person that this request has made")


def problem(
    status: int, detail: str, where: str = "", hint: str = "", approval_id: str = "", **headers: str
) -> JSONResponse:
    """The answer for an error."""
    phrase = HTTPStatus(status).phrase
    told = Problem(title=phrase, status=status, detail=detail, where=where, hint=hint, approval_id=approval_id)
    return JSONResponse(told.model_dump(), status_code=status, media_type=MEDIA_TYPE, headers=headers or None)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def handle_errors(app: FastAPI) -> None:
    """Every error of the app as a problem."""

    async def ours(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RatchetError)
        status = next((status for kind, status in STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
        return problem(status, error.what, error.where, error.hint, getattr(error, "approval_id", ""))

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        faults = error.errors()
        first = faults[0]
        if first["loc"] == ("body",) and first["type"] != "missing":
            return _no_object(request)
        where = ".".join(str(part) for part in first["loc"])
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        if first["type"] == "json_invalid":
            at = f" at character {first['loc'][-1]}"
            return problem(
                400, f"the body is no JSON: {first.get('ctx', {}).get('error', 'it breaks off')}{at}", "body"
            )
        return problem(422, first["msg"].removeprefix("Value error, ") + more, where)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = headers["Allow"] = ", ".join(sorted(_methods(app, request)))
            return problem(405, f"{request.method} is not for this path", "method", f"it takes {allowed}", **headers)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return problem(404, "there is no such path", "path", "GET /openapi.json has all of them", **headers)
        return problem(error.status_code, str(error.detail or ""), **headers)

    async def unforeseen(_: Request, error: Exception) -> JSONResponse:
        return problem(500, f"internal error: {type(error).__name__}")

    app.add_exception_handler(RatchetError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)


def _no_object(request: Request) -> JSONResponse:
    """For a body that is no JSON object, most often because nobody said that it is one."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == "application/json":
        return problem(422, "the body has to be a JSON object", "body")
    sent = f"came as {kind[:80]!r}" if kind else "came without a type"
    return problem(422, f"the body {sent}, so it was not read", "Content-Type", "send `Content-Type: application/json`")


def _methods(app: FastAPI, request: Request) -> set[str]:
    """The methods of all routes of this path: the framework names those of the first one only."""
    found: set[str] = set()
    for route in app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return found


def describe_whole(app: FastAPI) -> None:
    """Complete the description: `Problem`, to which error answers refer; a parameter is left out, and never null."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        whole = describe()
        whole.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        for operation in (one for methods in whole["paths"].values() for one in methods.values()):
            for parameter in operation.get("parameters", ()):
                _never_null(parameter["schema"])
        return whole

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's own way to extend the description


def _never_null(schema: dict[str, Any]) -> None:
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema |= kinds[0]
