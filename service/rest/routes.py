"""From an operation to a route: its path, query, body, answers and errors, as FastAPI wants them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, ValidationError, create_model, model_validator

from core.policy import Action
from service.http.problems import problems
from service.operations.approvals import ApprovalId
from service.operations.desk import Desk
from service.operations.once import perform_once
from service.operations.operation import Operation, Taken
from service.operations.performing import perform

__all__ = ["ALWAYS", "add_route", "known_query_only"]

ALWAYS = (401, 403, 421, 503, 507)
"""Any route may answer these: no token, no leave, a foreign host, a busy or full ledger."""
BODY_FIELD = "body"
KEY_FIELD = "idempotency_key"
APPROVAL_FIELD = "approval_id"

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="repeated with the same content, the request is carried out once and answers the same",
    ),
]

ApprovedBy = Annotated[
    ApprovalId | None,
    Header(alias="Approval-Id", description="of the question that this request made, when a person said yes to it"),
]


def add_route(app: FastAPI, operation: Operation, desk: Desk, security: Any) -> None:
    """Add the operation to the app."""
    in_path = set(re.findall(r"{(\w+)}", operation.path))
    if unknown := in_path - set(operation.takes.model_fields):
        raise ValueError(f"{operation.name}: {', '.join(sorted(unknown))} of its path is no field of its input")
    body = _body_of(operation, in_path) if operation.method == "POST" else None
    app.add_api_route(
        operation.path,
        _endpoint(operation, desk, in_path, body),
        methods=[operation.method],
        status_code=operation.status,
        operation_id=operation.name.replace(".", "_"),
        summary=operation.summary,
        description=inspect.getdoc(operation.takes) or operation.summary,
        tags=[operation.group],
        dependencies=[security],
        response_model=operation.answers if operation.media_type == "application/json" else None,
        response_class=Response,
        responses=_responses(operation),
    )


def known_query_only(request: Request, known: set[str]) -> None:
    """Raises RequestValidationError for a query parameter that the route does not have, or that is given twice."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        wrong = "there is no such parameter" if name not in known else "it is given more than once"
        if name not in known or names.count(name) > 1:
            raise RequestValidationError(
                [{"type": "extra_forbidden", "loc": ("query", name), "msg": wrong, "input": name}]
            )


def _endpoint(
    operation: Operation, desk: Desk, in_path: set[str], body: type[Taken] | None
) -> Callable[..., Awaitable[Response]]:
    asker = replace(desk.asker, route=operation.route)
    lent = desk.asked_by(asker)
    in_query = set() if operation.method == "POST" else set(operation.takes.model_fields) - in_path

    async def endpoint(request: Request, **given: Any) -> Response:
        known_query_only(request, in_query)
        key, approval = given.pop(KEY_FIELD, None), given.pop(APPROVAL_FIELD, None)
        allowed = lent.asked_by(replace(asker, approval_id=approval)) if approval else lent
        sent = given.pop(BODY_FIELD, None)
        if sent is not None:
            given |= {name: getattr(sent, name) for name in sent.model_fields_set}
        taken = _taken(operation, given)
        if key is None:
            told = await perform(operation, taken, allowed)
        else:
            told = await perform_once(operation, taken, allowed, key)
        if operation.media_type == "text/html":
            return Response(told.html, operation.status, media_type="text/html")  # type: ignore[attr-defined]
        return Response(told.model_dump_json(), operation.status, media_type="application/json")

    endpoint.__name__ = operation.name.replace(".", "_")
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # FastAPI reads the parameters from it
        [
            inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request),
            *_parameters(operation, in_path),
            *_body_parameter(body),
            *_header_parameters(operation),
        ],
        return_annotation=Response,
    )
    return endpoint


def _taken(operation: Operation, given: Mapping[str, Any]) -> Taken:
    try:
        return operation.takes.model_validate(dict(given))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_context=False)) from error


def _parameters(operation: Operation, in_path: set[str]) -> list[inspect.Parameter]:
    """Those of the path; of a GET all others as the query."""
    found = []
    for name, field in operation.takes.model_fields.items():
        if name not in in_path and operation.method == "POST":
            continue
        kind = Path if name in in_path else Query
        annotation: Any = Annotated[field.annotation, *field.metadata, kind(description=field.description)]
        default = inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True)
        found.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation))
    return found


def _body_of(operation: Operation, in_path: set[str]) -> type[Taken] | None:
    """The model of the body: the input without what stands in the path; None where nothing is left.

    It is strict, as its description is: no text is taken for a number.
    """
    fields = {name: field for name, field in operation.takes.model_fields.items() if name not in in_path}
    if not fields:
        return None
    given: Any = {name: (field.annotation, field) for name, field in fields.items()}
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    name = f"{operation.takes.__name__}Body" if in_path else operation.takes.__name__
    doc = inspect.getdoc(operation.takes)
    validators: Any = {"whole": model_validator(mode="before")(_whole_numbers)}
    return create_model(  # type: ignore[no-any-return]
        name, __config__=config, __doc__=doc, __validators__=validators, **given
    )


def _whole_numbers(sent: Any) -> Any:
    """4.0 is a whole number in JSON."""
    if not isinstance(sent, dict):
        return sent
    return {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in sent.items()}


def _body_parameter(body: type[Taken] | None) -> list[inspect.Parameter]:
    if body is None:
        return []
    optional = all(not field.is_required() for field in body.model_fields.values())
    default = body() if optional else inspect.Parameter.empty
    annotation: Any = Annotated[body, Body()]
    return [inspect.Parameter(BODY_FIELD, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)]


def _header_parameters(operation: Operation) -> list[inspect.Parameter]:
    wanted = {KEY_FIELD: Key} if operation.changes else {}
    if operation.action is not Action.READ:
        wanted[APPROVAL_FIELD] = ApprovedBy
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in wanted.items()]


def _responses(operation: Operation) -> dict[int | str, dict[str, Any]]:
    statuses = {*ALWAYS, *operation.errors, 422}
    statuses |= {404} if operation.paginated else set()
    statuses |= {400, 413} if operation.method == "POST" else set()
    statuses |= {404, 409} if operation.action is not Action.READ else set()  # of the approval, and what it is for
    told: dict[int | str, dict[str, Any]] = dict(problems(*sorted(statuses)))
    if operation.media_type == "text/html":
        told[operation.status] = {
            "description": operation.summary,
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    else:
        told[operation.status] = {"description": inspect.getdoc(operation.answers) or operation.summary}
    return told
