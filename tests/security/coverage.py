"""Whether the matrix speaks of every route of the app, and of every parameter of each."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.security.row import Row

Operation = str
"""Method and path."""


def missing_from(app: FastAPI, rows: Sequence[Row]) -> list[str]:
    """What the app has and no row speaks of, and what rows speak of and the app has not."""
    operations = set(operations_of(app))
    told = {row.operation for row in rows}
    faults = [f"{operation}: no row" for operation in sorted(operations - told)]
    faults += [f"{operation}: no such route" for operation in sorted(told - operations)]
    faults += [
        f"{operation}: no row that succeeds"
        for operation in sorted(told)
        if not any(_succeeds(row) for row in rows if row.operation == operation)
    ]
    for operation, parameters in parameters_of(app.openapi()).items():
        for row in rows:
            if row.operation == operation:
                unsaid = sorted(parameters - row.told())
                faults += [f"{operation}: a row says nothing of {each}" for each in unsaid]
    return faults


def _succeeds(row: Row) -> bool:
    return row.status == 101 or 200 <= row.status < 300


def operations_of(app: FastAPI) -> Iterator[Operation]:
    """Of every route, whether the document shows it or not."""
    for route in iter_route_contexts(app.routes):
        methods = getattr(route, "methods", None)
        for method in sorted(set(methods or {"WS"}) - {"HEAD"}):
            yield f"{method} {_plain(str(route.path))}"


def _plain(path: str) -> str:
    return path.replace(":path}", "}")


def parameters_of(document: dict[str, Any]) -> dict[Operation, set[str]]:
    """Of every operation the names of what it takes: `path.…`, `query.…`, `header.…`, `body.…`."""
    return {
        f"{method.upper()} {path}": {
            *(f"{each['in']}.{each['name']}".lower() for each in operation.get("parameters", ())),
            *_body_of(document, operation),
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _body_of(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        schema = media.get("schema", {})
        for each in (schema, *schema.get("anyOf", ())):
            if "$ref" in each:
                each = document["components"]["schemas"][each["$ref"].rsplit("/", 1)[1]]
            for name in each.get("properties", {}):
                yield f"body.{name}".lower()
