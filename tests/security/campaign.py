"""schemathesis over the whole OpenAPI document: what it asked, and what it found wrong."""

import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import schemathesis
from fastapi import FastAPI
from schemathesis import hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from services.training.app import create_app
from services.training.models.bundle import pack
from services.training.models.repr_digest import repr_digest
from shared.canonical import sha256_of
from tests.conftest import OPERATOR_KEY, Database, client_of
from tests.models.made_models import made_bundle
from tests.security.furnished import Furnished, furnish, key_for, settings_of

BEYOND_A_SCHEMA: Final = {
    "bad_cursor": "a cursor is opaque: any text may be one, and only its list knows it",
    "missing": "which fields an address, a window or a kind asks for depends on another field",
    "unknown_kind": "which kinds there are depends on the source in the path",
    "extra_forbidden": "which options there are depends on the kind",
    "unknown_country": "the countries that have a calendar are the calendar's to know",
    "unknown_subdivision": "subdivisions are those of the country beside them",
    "unknown_timezone": "the time zones are those of the host's database",
    "empty_order_range": "min_order is compared with max_order",
    "empty_range": "from is compared with to",
    "range_too_long": "from is compared with to",
    "one_of_both": "days and rows exclude each other",
    "bad_address": "an address has a host, and neither user nor query",
    "outside_forecast": "which days there are depends on the model",
    "idempotency_key_reused": "it came with another request before",
    "int_type": "25.0 is an integer to a schema",
    "unknown_product": "what there is to train is the tenant's",
    "unknown_location": "what there is to train is the tenant's",
    "not_a_number": "a list of levels is text to a schema",
    "out_of_range": "a list of levels is text to a schema",
    "too_many": "a list of levels is text to a schema",
    "digest_missing": "the digest is that of the body",
    "digest_malformed": "the digest is that of the body",
    "digest_mismatch": "the digest is that of the body",
    "empty_body": "CSV, NDJSON and Parquet are text or bytes to a schema",
    "invalid_json": "CSV, NDJSON and Parquet are text or bytes to a schema",
    "invalid_csv": "CSV, NDJSON and Parquet are text or bytes to a schema",
    "invalid_parquet": "CSV, NDJSON and Parquet are text or bytes to a schema",
    "invalid_encoding": "CSV, NDJSON and Parquet are text or bytes to a schema",
    "not_comma_separated": "CSV, NDJSON and Parquet are text or bytes to a schema",
    "date_out_of_range": "how far ahead a row may be depends on the day",
    "future_date": "whether a day has been depends on the day",
    "in_the_past": "a new key has to live, which depends on the hour",
    "duplicate_row": "rows are compared with each other",
}
"""Codes of a 422 that may meet what the schema allows, each with what the schema cannot say."""

IDS_THAT_ARE_WORDS: Final = ("/models/import", "/models/rollback", "/models/verify")
"""`GET /models/import` is `GET /models/{model_id}` with an id that is none: 422, not 405."""


@dataclass
class Outcome:
    """What a campaign did: how many requests, their statuses by operation, and the faults."""

    seed: int
    cases: Counter[str] = field(default_factory=Counter)
    statuses: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    @property
    def never_succeeded(self) -> list[str]:
        return sorted(
            label
            for label, counts in self.statuses.items()
            if not any(status < 300 for status in counts)
        )


def run_campaign(database: Database, folder: Path, *, seed: int, examples: int) -> Outcome:
    """Every phase and every check of schemathesis, `examples` generated cases an operation.

    All is asked with one identity's keys, so `object_level_authorization` has nobody to compare
    with and finds nothing: tests/security/test_leaks.py asks as another tenant."""
    app = create_app(settings_of(database, folder))
    held = _furnish_at_start(app, database)
    schemathesis.openapi.from_asgi("/openapi.json", app)  # starts it
    there = held[0]
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json", app, config=_config(_names(there), seed, examples)
    )
    _sign(schema, there)
    outcome = Outcome(seed)
    with _kept_alive(there):
        for event in from_schema(schema).execute():
            _note(event, outcome)
    return outcome


REFUSALS: Final = [
    "400",
    "401",
    "403",
    "404",
    "405",
    "406",
    "409",
    "413",
    "414",
    "415",
    "422",
    "429",
]
"""414 comes before all others where what was made is longer than a request may be."""


def _furnish_at_start(app: FastAPI, database: Database) -> list[Furnished]:
    """Make the tenant in the loop in which the application lives."""
    held: list[Furnished] = []
    start = app.router.lifespan_context

    @asynccontextmanager
    async def furnished_lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with start(app) as state, client_of(app, OPERATOR_KEY) as operator:
            held.append(await furnish(app, database, operator))
            yield state

    app.router.lifespan_context = furnished_lifespan
    return held


def _names(there: Furnished) -> dict[str, list[str]]:
    ids = there.ids
    return ids | {
        "receipt_id": ids["receipt_id"] + there.doomed["receipt_id"],
        "tenant_id": ids["tenant_id"] + ids["erased"],
    }


def _config(ids: Mapping[str, list[str]], seed: int, examples: int) -> SchemathesisConfig:
    bound = {
        f"{place}.{name}": {"dictionary": name, "probability": 0.6}
        for name in ids
        for place in ("path", "query", "body")
    }
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "request-timeout": 20,
            "max-stream-events": 3,
            "dictionaries": {name: {"values": values} for name, values in ids.items()},
            "parameters": bound
            | {"body.rows[*].date": {"dictionary": "sold_on", "probability": 0.8}},
            "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}},
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
        }
    )


def _sign(schema: Any, there: Furnished) -> None:
    @schema.auth(refresh_interval=None)
    class Keys:
        def get(self, case: Any, _: Any) -> str:
            return key_for(case.operation.path, there)

        def set(self, case: Any, key: str, _: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {key}"}


@contextmanager
def _kept_alive(there: Furnished) -> Iterator[None]:
    """Turn what would end the tenant or its key against others, which are there for it; and let
    some imports be of a model."""
    protected = {str(there.tenant.id), there.key_id}
    doomed = {name: iter(there.doomed[name]) for name in there.doomed}
    turn = itertools.count()

    def before_call(_: Any, case: Any, **kwargs: Any) -> None:
        if case.operation.label.endswith("/models/import") and next(turn) % 4 == 0:
            _carry_a_model(case)
        if case.method.upper() == "GET":
            return
        for name, value in (case.path_parameters or {}).items():
            if value in protected:
                case.path_parameters[name] = next(doomed.get(name, iter(())), str(uuid4()))

    hooks.hook(before_call)
    yield
    hooks.unregister(before_call)


def _carry_a_model(case: Any) -> None:
    data = pack(made_bundle())
    case.body, case.media_type, case.query = data, "application/octet-stream", {}
    case.headers["Repr-Digest"] = repr_digest(sha256_of(data))


def _note(event: events.EngineEvent, outcome: Outcome) -> None:
    if isinstance(event, events.NonFatalError | events.FatalError):
        outcome.faults.append(f"{event}")
    if not isinstance(event, events.ScenarioFinished):
        return
    recorder = event.recorder
    for case_id, call in recorder.interactions.items():
        outcome.cases[event.phase.value] += 1
        label = recorder.cases[case_id].value.operation.label
        if call.response is not None:
            outcome.statuses[label][call.response.status_code] += 1
        else:
            outcome.faults.append(f"{label}: no answer")
    for case_id, checks in recorder.checks.items():
        response = recorder.interactions[case_id].response
        for check in checks:
            if check.failure_info and not _is_expected(check.name, recorder, case_id):
                told = (
                    "" if response is None else f"{response.status_code} {response.content!r:.600}"
                )
                info = check.failure_info
                outcome.faults.append(f"{check.name}: {info.failure}\n{info.code_sample}\n{told}")


def _is_expected(check: str, recorder: Any, case_id: str) -> bool:
    case, response = recorder.cases[case_id].value, recorder.interactions[case_id].response
    if check in ("unsupported_method", "allow_header_conformance"):
        return case.operation.path.endswith(IDS_THAT_ARE_WORDS)
    if check == "positive_data_acceptance" and response.status_code == 422:
        body = response.json()
        codes = {error["code"] for error in body.get("errors", ())}
        return bool(codes) and codes <= BEYOND_A_SCHEMA.keys()
    return False
