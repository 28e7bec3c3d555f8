"""The client against the OpenAPI document that is served: what it asks for, and what it expects."""

from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from morrow.call import Call, Pages
from morrow.calls import forecasts, models, sales, training
from morrow.schemas import ImportReceipt, Receipt
from services.training.app import create_app
from tests.client.saying import Operation, Place, Said, call_of, operations, places_of, said
from tests.client.shapes import Shape, faults_of_answer, faults_of_input, of_schema, of_type
from tests.conftest import settings_for

OPERATIONS = sorted(operations(), key=lambda each: each.__name__)
WITHOUT_METHOD = {
    ("GET", "/health"): "another name of /health/ready",
}
"""What is served and no method calls, and why."""
UNTOLD = {
    sales.export_sales,
    forecasts.export_forecasts,
    forecasts.list_forecasts,
    models.read_artifact,
    training.stream_events,
}
"""The document tells no type of what they stream; `test_answers` and others look at it."""
OUR_OWN = {
    ("query", "limit"),
    ("query", "cursor"),
    ("header", "last-event-id"),
    ("header", "idempotency-key"),
}
"""Callers need not say it: the client pages, resumes, and makes a key where none is given."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("app")
    return create_app(settings_for("postgresql://nobody@127.0.0.1/none", folder)).openapi()


each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.__name__)


def test_every_operation_that_is_served_has_a_method_or_a_reason(document: dict[str, Any]) -> None:
    served = {(method.upper(), path) for path, each in document["paths"].items() for method in each}
    called = {(call.method, call.path) for call in map(call_of, OPERATIONS)}
    assert called <= served
    assert served - called == set(WITHOUT_METHOD)


@each_operation
def test_every_parameter_is_sent_where_the_document_takes_it(
    document: dict[str, Any], operation: Operation
) -> None:
    taken = taken_by(document, call_of(operation))
    faults = []
    for each in said(operation):
        assert each.places, f"{each.name} changes nothing of the call"
        for place in each.places:
            told = taken[place] if place in taken else Shape()
            faults += faults_of_input(shape_of(each, place), told, f"{each.name} as {place}")
    assert faults == []


@each_operation
def test_what_the_document_takes_can_be_said(
    document: dict[str, Any], operation: Operation
) -> None:
    call = call_of(operation)
    can_be: set[Place] = set().union(*(each.places for each in said(operation)))
    can_be |= OUR_OWN | places_of(call).keys()
    if operation is training.stream_events:
        can_be.add(("query", "since"))  # goes as Last-Event-ID
    assert taken_by(document, call).keys() - can_be == set()


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each not in UNTOLD],
    ids=lambda each: each.__name__,
)
def test_an_answer_is_of_the_type_that_the_document_tells(
    document: dict[str, Any], operation: Operation
) -> None:
    told = told_of(document, call_of(operation))
    expected = get_type_hints(operation)["return"]
    for status, schema in answers_of(told).items():
        ours = type_of(expected, status)
        if schema is None:
            assert ours is type(None)
            continue
        theirs = of_schema(schema, document)
        assert theirs is not None
        if get_origin(expected) is Pages:
            theirs = theirs.kinds["object"]["items"].shape.kinds["array"]
        assert faults_of_answer(of_type(ours), theirs, "answer") == []


def shape_of(parameter: Said, place: Place) -> Shape | None:
    """What of the parameter is said there."""
    shape = of_type(parameter.type)
    if shape is None:
        return None
    where, name = place
    if where == "query" and "array" in shape.kinds:
        return Shape({"string": None})  # with commas
    if name != parameter.name and "object" in shape.kinds:
        member: Shape | None = shape.kinds["object"][name].shape  # it is the body itself
        return member
    return shape


def told_of(document: dict[str, Any], call: Call[Any]) -> dict[str, Any]:
    told: dict[str, Any] = document["paths"][call.path][call.method.lower()]
    return told


def taken_by(document: dict[str, Any], call: Call[Any]) -> dict[Place, Shape | None]:
    """Everything that the operation takes, by where it takes it, but for rows."""
    told = told_of(document, call)
    taken: dict[Place, Shape | None] = {
        (each["in"], each["name"].lower() if each["in"] == "header" else each["name"]): of_schema(
            each["schema"], document
        )
        for each in told.get("parameters", [])
    }
    content = told.get("requestBody", {}).get("content", {})
    if set(content) != {"application/json"}:
        return taken
    schema = content["application/json"]["schema"]
    (schema,) = (each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    body = of_schema(schema, document)
    assert body is not None
    members = body.kinds["object"].items()
    return taken | {("body", name): member.shape for name, member in members}


def type_of(expected: Any, status: str) -> Any:
    """What an operation says that it is answered, with this status."""
    (ours,) = get_args(expected)
    if ours == ImportReceipt | Receipt:
        return Receipt if status == "202" else ImportReceipt
    return ours


def answers_of(told: dict[str, Any]) -> dict[str, Any]:
    """The schemas of the successes, by status; None where there is no body."""
    return {
        status: answer.get("content", {}).get("application/json", {}).get("schema")
        for status, answer in told["responses"].items()
        if status.startswith("2")
    }
