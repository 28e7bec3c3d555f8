"""Every field of every operation, read from the OpenAPI document, in a request that succeeds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import uuid4

from services.training.models.bundle import pack
from services.training.models.repr_digest import repr_digest
from shared.canonical import sha256_of
from tests.models.made_models import made_bundle
from tests.security.wire import Raw

Json = dict[str, Any]
METHODS: Final = {"get", "put", "post", "delete", "patch"}
HOLE: Final = "hole in the body"
"""Stands where a value is to be put, as JSON text."""
FRESH: Final = "another with each request"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with values for all of its fields with which it succeeds."""

    name: str
    method: str
    path: str
    statuses: frozenset[int]
    path_values: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    payload: bytes | None = None

    def request(self, key: str) -> Raw:
        """The request that succeeds."""
        body = self.payload if self.payload is not None else b""
        if self.body is not None:
            body = json.dumps(self.body).encode()
        return Raw(
            self.method,
            self.encoded_path(),
            urlencode(self.query).encode(),
            (
                (b"authorization", f"Bearer {key}".encode()),
                *(((b"content-type", b"application/json"),) if self.body is not None else ()),
                *((name.lower().encode(), _fresh(value)) for name, value in self.headers.items()),
            ),
            body,
        )

    def encoded_path(self, **instead: str) -> bytes:
        """The path, with these values (percent-encoded already) in place of its own."""
        path = self.path
        for name, value in self.path_values.items():
            path = path.replace("{" + name + "}", instead.get(name, quote(value, safe="")))
        return path.encode()


@dataclass(frozen=True, slots=True)
class Field:
    """One place of an operation into which a value can be put. `name` is as errors name it."""

    operation: Operation
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation.name} {self.place} {self.name}"


def fields_of(operation: Operation) -> Iterator[Field]:
    for name in operation.path_values:
        yield Field(operation, "path", name)
    for name in operation.query:
        yield Field(operation, "query", name)
    for name in operation.headers:
        yield Field(operation, "header", name)
    for name in _leaves(operation.body):
        yield Field(operation, "body", name)


def _leaves(value: Any, name: str = "") -> Iterator[str]:
    """Every member, containers too, by its path."""
    members = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        members = ((str(at), item) for at, item in enumerate(value))
    for key, member in members:
        path = f"{name}.{key}" if name else str(key)
        yield path
        yield from _leaves(member, path)


def with_hole(body: Any, name: str) -> str:
    """The body as JSON with `HOLE` at this member."""
    copy = json.loads(json.dumps(body))
    *steps, last = [int(step) if step.isdecimal() else step for step in name.split(".")]
    at = copy
    for step in steps:
        at = at[step]
    at[last] = HOLE
    return json.dumps(copy)


def value_at(body: Any, name: str) -> Any:
    """What stands at this member."""
    for step in name.split("."):
        body = body[int(step) if step.isdecimal() else step]
    return body


def operations_of(
    document: Json, known: Mapping[str, list[str]], doomed: Mapping[str, list[str]]
) -> list[Operation]:
    """Each operation of the document with a value for each of its fields: what is `known` by its
    name (in what changes anything rather `doomed`), else the first that its schema allows."""
    turns = {name: cycle(values) for name, values in doomed.items()}

    def made(path: str, method: str, operation: Json) -> Operation:
        values = {name: values[0] for name, values in known.items()}
        if method != "get":
            values |= {name: next(turn) for name, turn in turns.items()}
        if path.endswith("/erasure"):
            values["tenant_id"] = known["erased"][0]
        return _Made(document, values).operation(path, method, operation)

    return [
        _completed(made(path, method, operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


BODIES: Final[Mapping[str, Json]] = {
    "create_tenant": {"country": "DE", "subdivision": "SH", "timezone": "Europe/Berlin"},
    "put_location": {"country": "DE", "subdivision": "SH", "timezone": "Europe/Berlin"},
    "put_source": {"kind": "http", "credentials": {"token": "t"}, "options": {"page_size": 7}},
    "put_retraining_policy": {"window": {"days": 60}},
    "create_job": {"products": ["Croissant"], "locations": ["main"], "families": ["baseline"]},
    "post_regressors": {"rows": [{"date": "2025-01-06", "price": 2.5, "rain": 1.5, "open": 1}]},
    "post_sales": {
        "rows": [
            {
                **{"date": "2025-01-06", "product": "Croissant", "location": "main"},
                **{"quantity": 3.5, "price": 2.5, "promotion": 1, "stockout": 0, "open": 1},
                "rain": 1.5,
            }
        ]
    },
}
"""What a schema cannot tell: values that have to fit each other."""

QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "erase_tenant": {"dry_run": "true"},
    "read_sales": {"from": "2025-01-01", "to": "2025-02-01", "format": "json"},
    "get_usage": {"from": "2026-01-01", "to": "2026-01-31"},
    "get_forecast": {"days": "1", "quantiles": "0.1,0.5"},
    "export_forecasts": {"quantiles": "0.1,0.5"},
    "list_models": {"alias": "champion"},
}


def _completed(operation: Operation) -> Operation:
    name = operation.name
    query = {k: v for k, v in operation.query.items() if k != "cursor"}
    operation = replace(operation, query=query | dict(QUERIES.get(name, {})))
    if name in BODIES:
        return replace(operation, body=(operation.body or {}) | BODIES[name])
    if name == "import_model":
        payload = pack(made_bundle())
        headers = {
            "Repr-Digest": repr_digest(sha256_of(payload)),
            "Content-Type": "application/gzip",
        }
        return replace(operation, body=None, payload=payload, headers=headers)
    return operation


class _Made:
    """Values out of schemas."""

    def __init__(self, document: Json, known: Mapping[str, str]) -> None:
        self._document = document
        self._known = known

    def operation(self, path: str, method: str, operation: Json) -> Operation:
        values: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for parameter in operation.get("parameters", []):
            value = self._value(parameter["name"], parameter["schema"])
            values[parameter["in"]][parameter["name"]] = _as_text(value)
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return Operation(
            operation["operationId"],
            method.upper(),
            path,
            frozenset(map(int, operation["responses"])),
            *(values["path"], values["query"], values["header"]),
            None if schema is None else self._value("", schema),
        )

    def _value(self, name: str, schema: Json) -> Any:
        if "$ref" in schema:
            return self._value(name, self._referred(schema["$ref"]))
        for alternatives in (schema.get("anyOf"), schema.get("oneOf"), schema.get("allOf")):
            if alternatives:
                return self._value(name, alternatives[0])
        if schema.get("type") == "object":
            return {
                key: self._value(key, of) for key, of in schema.get("properties", {}).items() if of
            }
        if schema.get("type") == "array":
            return [self._value(name, schema.get("items", {}))]
        return self._known.get(name, _simplest(name, schema))

    def _referred(self, reference: str) -> Json:
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)


def _simplest(name: str, schema: Json) -> Any:
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "examples" in schema:
        return schema["examples"][0]
    match schema.get("type"):
        case "integer" | "number":
            return max(1, int(schema.get("minimum", 1)))
        case "boolean":
            return True
    formats = {
        "date": "2025-01-06",
        "date-time": "2030-01-01T00:00:00Z",
        "uuid": "00000000-0000-4000-8000-000000000000",
    }
    return formats.get(schema.get("format", ""), TEXTS.get(name, "some text"))


TEXTS: Final = {
    "currency": "EUR",
    "base_url": "http://supplier.invalid",
    "idempotency-key": FRESH,
    "id": "fair",
}


def _fresh(value: str) -> bytes:
    return (uuid4().hex if value == FRESH else value).encode()


def _as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
