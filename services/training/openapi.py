"""The OpenAPI document: every operation with its errors, as the problem documents they are."""

from typing import Any

from fastapi import FastAPI

from shared.errors import MEDIA_TYPE, ProblemBody

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemBody, "description": "no key, or one that is unknown or no longer valid"},
    403: {"model": ProblemBody, "description": "the key may not do this"},
    404: {"model": ProblemBody, "description": "it does not exist, or is another tenant's"},
    409: {"model": ProblemBody, "description": "something else is in the way"},
    413: {"model": ProblemBody, "description": "too large"},
    415: {"model": ProblemBody, "description": "not a media type that is taken here"},
    422: {"model": ProblemBody, "description": "input that cannot be taken: see `errors`"},
    414: {"model": ProblemBody, "description": "path and query are too long"},
    431: {"model": ProblemBody, "description": "the headers are too large"},
    504: {"model": ProblemBody, "description": "it took longer than a request may"},
    503: {"model": ProblemBody, "description": "the database is away: see `Retry-After`"},
    429: {"model": ProblemBody, "description": "a limit is reached: see `Retry-After`"},
}


def document_problems(app: FastAPI) -> None:
    """Have `app.openapi()` show every problem under its own media type."""
    plain = app.openapi

    def with_problems() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            for operations in schema["paths"].values():
                for operation in operations.values():
                    _retype(operation["responses"])
                    _drop_nulls(operation.get("parameters", []))
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = with_problems  # type: ignore[method-assign]


def _drop_nulls(parameters: list[dict[str, Any]]) -> None:
    """A parameter may be left out, but there is no null that could be sent as one."""
    for parameter in parameters:
        schema = parameter["schema"]
        given = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
        if len(given) == 1:
            del schema["anyOf"]
            parameter["schema"] = given[0] | schema


def _retype(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        content = response.get("content", {})
        if status.isdigit() and int(status) in PROBLEMS and "application/json" in content:
            response["content"] = {MEDIA_TYPE: content["application/json"]}
