"""Errors as RFC 9457 problem documents: what is wrong, with which value, and the way out."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.routing import Match

from shared.database import DatabaseUnavailable
from shared.outage import is_lost
from shared.safe_headers import SAFE_HEADERS

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 100
LONGEST_TEXT = 1000
UNPRESENTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

log = structlog.get_logger()


class InputError(BaseModel):
    """One fault of the input: where it is, its stable code, and what to do."""

    field: str | None = None
    row: int | None = None
    code: str
    message: str


class ProblemBody(BaseModel):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[InputError] | None = None


class Problem(Exception):
    """An answer other than success. `code` is a stable snake_case word."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: list[InputError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors[:MOST_ERRORS] if errors else None
        self.headers = dict(headers or {})


def database_unavailable() -> Problem:
    """Made anew each time: what is raised keeps every frame it ever went through."""
    return Problem(
        503,
        "database_unavailable",
        "the database does not answer: try again in a few seconds",
        headers={"Retry-After": "5"},
    )


BODY_TOO_LARGE = Problem(
    413, "body_too_large", "the body is larger than any that is taken here: send less at once"
)
BODY_BROKEN_OFF = Problem(
    400, "body_broken_off", "the connection ended before the body: nothing of it was taken"
)
DEADLINE_EXCEEDED = Problem(
    504,
    "deadline_exceeded",
    "the answer took longer than a request may: ask for less at once, or try again later",
)


def not_found(what: str, name: object) -> Problem:
    """The one answer for what does not exist and for what belongs to somebody else."""
    return Problem(404, f"{what}_not_found", f"no {what} {name!s:.200}")


def invalid(field: str, code: str, message: str) -> Problem:
    """Bad input in one named field."""
    return Problem(
        422, "invalid_input", message, [InputError(field=field, code=code, message=message)]
    )


def problem_response(request: HTTPConnection, problem: Problem) -> JSONResponse:
    """The problem as a response, with the id of its request."""
    body = ProblemBody(
        type=f"urn:morrow:problem:{problem.code}",
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        request_id=request.scope.get("request_id", ""),
        errors=problem.errors,
    )
    return JSONResponse(
        _presentable(body.model_dump(exclude_none=True)),
        problem.status,
        problem.headers,
        media_type=MEDIA_TYPE,
    )


def _presentable(value: Any) -> Any:
    """The same value with texts cut, and cleaned of what was sent and nobody should see: control
    characters, and lone surrogates, which cannot even be written as UTF-8."""
    if isinstance(value, str):
        return UNPRESENTABLE.sub("\ufffd", value[:LONGEST_TEXT])
    if isinstance(value, list):
        return [_presentable(item) for item in value]
    if isinstance(value, dict):
        return {name: _presentable(item) for name, item in value.items()}
    return value


def install_error_answers(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    app.exception_handler(Problem)(_problem)
    app.exception_handler(ClientDisconnect)(_broken_off)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(request, _from_validation(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.BAD_REQUEST:  # the framework's, of bytes it can't decode
            return problem_response(request, invalid("body", "not_json", "the body is not JSON"))
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return problem_response(request, BODY_TOO_LARGE)
        code = HTTPStatus(error.status_code).name.lower()
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_methods_of(request))
        return problem_response(
            request, Problem(error.status_code, code, str(error.detail), headers=headers)
        )

    @app.exception_handler(DatabaseUnavailable)
    @app.exception_handler(PoolTimeout)
    @app.exception_handler(DBAPIError)
    @app.exception_handler(asyncpg.PostgresError)
    @app.exception_handler(asyncpg.InterfaceError)
    async def _database(request: Request, error: Exception) -> JSONResponse:
        if _was_cancelled(error):
            log.warning("deadline_exceeded", path=request.url.path)
            return problem_response(request, DEADLINE_EXCEEDED)
        if not isinstance(error, PoolTimeout) and not is_lost(error):
            raise error
        log.warning("database_unavailable", path=request.url.path, error=str(error))
        return problem_response(request, database_unavailable())

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", path=request.url.path, exc_info=error)
        detail = "the service failed; quote the request_id to its operator"
        # This one answers around all middleware, which would have said these.
        headers = {**SAFE_HEADERS, "X-Request-ID": request.scope.get("request_id", "")}
        return problem_response(request, Problem(500, "internal_error", detail, headers=headers))


async def _problem(request: Request, error: Problem) -> JSONResponse:
    return problem_response(request, error)


async def _broken_off(request: Request, _: ClientDisconnect) -> JSONResponse:
    return problem_response(request, BODY_BROKEN_OFF)


def _methods_of(request: Request) -> list[str]:
    """Every method that a route takes at this path: the framework names only the first route's."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _was_cancelled(error: Exception) -> bool:
    """By the server, at the end of a statement's time."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) == asyncpg.QueryCanceledError.sqlstate


def _from_validation(error: RequestValidationError) -> Problem:
    errors = [
        InputError(
            field=".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]),
            code=str(item["type"]),
            message=str(item["msg"]),
        )
        for item in error.errors()[:MOST_ERRORS]  # there may be as many as bytes
    ]
    named = ", ".join(dict.fromkeys(str(item.field) for item in errors[:5]))
    return Problem(422, "invalid_input", f"the request was not understood: see {named}", errors)
