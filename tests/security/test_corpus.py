"""No value in any field makes a 500, an undocumented answer, or an error that names nothing."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count, islice
from uuid import uuid4

import pytest

from shared.postgres import RunningPostgres
from tests.conftest import fresh_database
from tests.security.corpus import HEADERS, QUERIES, SEGMENTS, VALUES, encoded
from tests.security.fields import (
    HOLE,
    Field,
    Operation,
    fields_of,
    operations_of,
    value_at,
    with_hole,
)
from tests.security.furnished import Furnished, furnished, key_for
from tests.security.verdict import fault_of
from tests.security.wire import Raw, ask

Case = tuple[str, Raw]
PLACES = ("path", "query", "header", "body")


@pytest.fixture(scope="module")
async def there(
    postgres_server: RunningPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Furnished]:
    with fresh_database(postgres_server, template) as database:
        async with furnished(database, tmp_path_factory.mktemp("corpus")) as made:
            yield made
            await made.client.aclose()


@pytest.fixture(scope="module")
def operations(there: Furnished) -> list[Operation]:
    return operations_of(there.app.openapi(), there.ids, there.doomed)


async def test_every_operation_succeeds_with_a_value_in_each_field(
    there: Furnished, operations: list[Operation]
) -> None:
    refused = []
    for operation in operations:
        answer = await ask(there.app, operation.request(key_for(operation.path, there)))
        if answer.status >= 300:
            refused.append((operation.name, answer.status, bytes(answer.body[:500])))
    assert not refused


@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", PLACES)
async def test_values_in_every_field_are_taken_or_refused_by_name(
    there: Furnished, operations: list[Operation], place: str
) -> None:
    await _try(there, operations, place, every=9)


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
async def test_every_value_in_every_field_is_taken_or_refused_by_name(
    there: Furnished, operations: list[Operation], place: str
) -> None:
    await _try(there, operations, place, every=1)


@pytest.mark.parametrize("other", ["false", "true", '"1"'])
async def test_no_flag_and_no_text_is_taken_for_a_number(
    there: Furnished, operations: list[Operation], other: str
) -> None:
    taken = []
    for operation in operations:
        raw = operation.request(key_for(operation.path, there))
        for field in fields_of(operation):
            if field.place != "body" or not _is_number(operation, field):
                continue
            text = with_hole(operation.body, field.name).replace(json.dumps(HOLE), other)
            answer = await ask(there.app, replace(raw, body=text.encode()))
            if answer.status != 422:
                taken.append(f"{field}: {answer.status}")
    assert not taken


async def test_a_key_that_stands_twice_is_refused_in_every_body(
    there: Furnished, operations: list[Operation]
) -> None:
    bodies = {operation.name: operation for operation in operations if operation.body}
    assert {"post_sales", "create_tenant", "create_job", "put_source"} <= bodies.keys()
    for operation in bodies.values():
        name, value = next(iter(operation.body.items()))
        again = json.dumps(operation.body)[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}"
        raw = replace(operation.request(key_for(operation.path, there)), body=again.encode())
        answer = await ask(there.app, raw)
        assert answer.status == 422, operation.name
        assert [error["code"] for error in answer.json()["errors"]] == ["duplicate_key"]
        assert name in answer.json()["detail"]


def _is_number(operation: Operation, field: Field) -> bool:
    """Flags of rows may be written as numbers and as texts: CSV has nothing else."""
    value = value_at(operation.body, field.name)
    return type(value) in (int, float) and not field.name.endswith((".open", ".stockout"))


async def _try(there: Furnished, operations: list[Operation], place: str, every: int) -> None:
    """Of each field each so many-th value, from field to field another."""
    counts: Counter[int] = Counter()
    faults, turn = [], count()
    for operation in operations:
        key = key_for(operation.path, there)
        for field in fields_of(operation):
            if field.place != place:
                continue
            for name, raw in islice(
                CASES[place](field, operation.request(key)), next(turn) % every, None, every
            ):
                if place != "header" and any(name == b"idempotency-key" for name, _ in raw.headers):
                    raw = raw.having(("Idempotency-Key", uuid4().hex))
                answer = await ask(there.app, raw)
                counts[answer.status] += 1
                fault = fault_of(answer, field)
                if fault is not None:
                    faults.append(f"{field} = {name}: {fault}")
        await _goes_on(there)
    print(f"\n{place}: {counts.total()} cases, {dict(counts)}")
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults[:40])


async def _goes_on(there: Furnished) -> None:
    """What was sent before left nothing behind that breaks what is read."""
    for path in (b"/api/v1/tenant", b"/api/v1/sales/quality", b"/api/v1/forecasts/export"):
        key = there.tenant.key.encode()
        answer = await ask(
            there.app, Raw("GET", path, headers=((b"authorization", b"Bearer " + key),))
        )
        assert answer.status == 200, (path, bytes(answer.body[:500]))


def _in_path(field: Field, raw: Raw) -> Iterator[Case]:
    segments = SEGMENTS | {value.name: encoded(value) for value in VALUES if not value.is_long}
    for name, segment in segments.items():
        yield name, replace(raw, path=field.operation.encoded_path(**{field.name: segment}))


def _in_query(field: Field, raw: Raw) -> Iterator[Case]:
    texts = QUERIES | {value.name: encoded(value) for value in VALUES if not value.is_long}
    others = [
        part for part in raw.query.split(b"&") if not part.startswith(f"{field.name}=".encode())
    ]
    for name, text in texts.items():
        part = f"{field.name}={text}".encode()
        yield name, replace(raw, query=b"&".join([*others, part]))
    yield "twice", replace(raw, query=raw.query + f"&{field.name}=a&{field.name}=b".encode())
    yield "long", replace(raw, query=f"{field.name}={'x' * 60_000}".encode())


def _in_header(field: Field, raw: Raw) -> Iterator[Case]:
    for name, value in HEADERS.items():
        yield name, raw.having((field.name, value))
    repeated = (field.name.lower().encode(), b"a")
    yield "twice", replace(raw, headers=(*raw.headers, repeated, repeated))


def _in_body(field: Field, raw: Raw) -> Iterator[Case]:
    text = with_hole(field.operation.body, field.name)
    for value in VALUES:
        yield value.name, replace(raw, body=text.replace(json.dumps(HOLE), value.json).encode())


CASES = {"path": _in_path, "query": _in_query, "header": _in_header, "body": _in_body}
