"""Every operation, and how its parameters are filled with things of one's own, of another tenant
and of nobody.

A route without a row here fails the build, and so does a parameter that its rows do not speak of.
Rows that refuse a foreign name stand before those that make such a thing one's own.
"""

from typing import Any, Final

from shared.auth import Scope
from tests.conftest import BAKERY
from tests.jobs.asking import FIRST_DAY
from tests.security.made import EXPLAINED_DAY, WITHOUT_POOL
from tests.security.row import Place, Row, Who, page
from tests.security.tabular import KNOWN, SALE, TABULAR, own_artifact

ANYONE = frozenset({Who.ANYONE})
OPERATOR = frozenset({Who.OPERATOR})
READ: frozenset[Scope | Who] = frozenset({Scope.READ})
INGEST = frozenset({Scope.INGEST})
TRAIN = frozenset({Scope.TRAIN})
ADMIN = frozenset({Scope.ADMIN})
LIST = ("query.limit",)
V1 = "/api/v1"

NEW_KEY_IDLE = ("body.expires_at", "body.requests_per_minute")
LOCATION = {"name": "corner", "latitude": 54.3, "longitude": 10.1}
LOCATION_IDLE = ("body.timezone", "body.country", "body.subdivision")
PRODUCT_IDLE = tuple(
    f"body.{name}"
    for name in (
        *("category", "unit", "price", "unit_cost", "salvage_value", "shelf_life_days"),
        *("batch_size", "min_order", "max_order"),
    )
)
JOB_IDLE = tuple(
    f"body.{name}"
    for name in (
        *("training_window_days", "training_window_rows", "optimizer", "max_trials", "priority"),
        *("execution_mode", "force"),
    )
)


def v1(method: str, route: str, *more: Any, **named: Any) -> Row:
    return Row(f"{method} {V1}{route}", *more, **named)


PUBLIC = [
    Row(f"GET {path}", ANYONE)
    for path in (
        *("/health", "/health/live", "/health/ready"),
        *("/openapi.json", "/docs"),
    )
]
OPERATORS = [
    v1(
        "POST", "/tenants", OPERATOR, 201, body=BAKERY,
        idle=("body.plan",),
    ),
    v1("GET", "/tenants", OPERATOR, query={"cursor": page("tenants_page")}, idle=LIST),
    v1("GET", "/tenants/{tenant_id}", OPERATOR, path={"tenant_id": Place("tenant", 404)}),
    v1(
        "DELETE", "/tenants/{tenant_id}", OPERATOR,
        path={"tenant_id": Place("tenant", 404)}, query={"dry_run": "true"},
    ),
    v1(
        "GET", "/tenants/{tenant_id}/erasure", OPERATOR,
        path={"tenant_id": Place("erased_tenant", 404)},
    ),
    v1(
        "POST", "/tenants/{tenant_id}/api-keys", OPERATOR, 201,
        path={"tenant_id": Place("tenant", 404)},
        body={"name": "another", "scopes": ["read"]}, idle=NEW_KEY_IDLE,
    ),
    v1(
        "PATCH", "/tenants/{tenant_id}", OPERATOR, path={"tenant_id": Place("tenant", 404)},
        body={"limits": {"requests_per_minute": 200_000}}, idle=("body.plan",),
    ),
    v1(
        "GET", "/audit-log", ADMIN | OPERATOR, query={"cursor": page("audit_page")},
        idle=("query.from", "query.to", "query.action", *LIST),
    ),
    v1(
        "GET", "/circuit-breakers", READ | OPERATOR,
        query={"cursor": page("breakers_page")}, idle=LIST,
    ),
    v1(
        "POST", "/circuit-breakers/{name}/reset", OPERATOR, 202,
        path={"name": Place("breaker", 404)},
    ),
]  # fmt: skip
TENANTS = [
    v1("GET", "/tenant", READ),
    v1("GET", "/usage", READ, idle=("query.from", "query.to")),
    v1("GET", "/api-keys", ADMIN, query={"cursor": page("keys_page")}, idle=LIST),
    v1("GET", "/api-keys/{key_id}", ADMIN, path={"key_id": Place("key", 404)}),
    v1("DELETE", "/api-keys/{key_id}", ADMIN, 204, path={"key_id": Place("spare_key", 404)}),
    v1(
        "POST", "/api-keys", ADMIN, 201,
        body={"name": "another", "scopes": ["admin"]}, idle=NEW_KEY_IDLE,
    ),
    v1(
        "POST", "/api-keys/{key_id}/rotate", ADMIN, 201, path={"key_id": Place("old_key", 404)},
        idle=("body.overlap_seconds", "body.expires_at"),
    ),
]  # fmt: skip
JOBS = [
    v1("GET", "/training-jobs", READ, query={"cursor": page("jobs_page")}, idle=LIST),
    v1("GET", "/training-jobs/{job_id}", READ, path={"job_id": Place("job", 404)}),
    v1(
        "GET", "/training-jobs/{job_id}/products", READ,
        path={"job_id": Place("job", 404)}, query={"cursor": page("tasks_page")}, idle=LIST,
    ),
    v1(
        "GET", "/training-jobs/{job_id}/events", READ, path={"job_id": Place("job", 404)},
        idle=("query.since", "header.accept", "header.last-event-id"),
    ),
    v1(
        "GET", "/training-jobs/{job_id}/events", READ, path={"job_id": Place("job", 404)},
        headers={"accept": "text/event-stream", "last-event-id": "0"}, idle=("query.since",),
    ),
    v1(
        "WS", "/training-jobs/{job_id}/ws", READ, 101, path={"job_id": Place("job", 404)},
        idle=("query.since", "query.ticket"),
    ),
    v1("POST", "/stream-tickets", READ, 201, body={"job_id": Place("job", 404)}),
    v1(
        "POST", "/training-jobs", TRAIN, 202,
        body={
            "products": [Place("product", 422)], "locations": [Place("location", 422)],
            **WITHOUT_POOL,
        },
        idle=("header.idempotency-key", *JOB_IDLE),
    ),
    v1(
        "POST", "/training-jobs", TRAIN, 202,
        headers={"idempotency-key": Place("request_key", 202)}, body=WITHOUT_POOL,
        idle=("body.products", "body.locations", *JOB_IDLE),
    ),
    v1(
        "POST", "/training-jobs/{job_id}/cancel", TRAIN, 202,
        path={"job_id": Place("spare_job", 404)},
    ),
]  # fmt: skip
MODELS = [
    v1(
        "GET", "/models", READ,
        query={
            "product": Place("product", 200), "location": Place("location", 200),
            "cursor": Place("models_page", 422),
        },
        idle=("query.alias", *LIST),
    ),
    v1("GET", "/models/{model_id}", READ, path={"model_id": Place("model", 404)}),
    v1("GET", "/models/{model_id}/artifact", READ, path={"model_id": Place("model", 404)}),
    v1(
        "GET", "/models/{model_id}/artifact", READ, 304,
        path={"model_id": Place("model", 404)}, headers={"if-none-match": Place("etag", 200)},
    ),
    v1(
        "POST", "/models/import", TRAIN, 201,
        query={"product": Place("product", 404), "location": Place("location", 404)},
        headers={"repr-digest": Place("artifact", 422)}, content=own_artifact,
        media_type="application/gzip",
    ),
    v1(
        "POST", "/models/{model_id}/promote", TRAIN,
        path={"model_id": Place("challenger", 404)},
    ),
    v1(
        "POST", "/models/rollback", TRAIN,
        body={"product": Place("product", 404), "location": Place("location", 404)},
    ),
    v1("POST", "/models/verify", TRAIN),
]  # fmt: skip
FORECASTS = [
    v1(
        "GET", "/forecasts", READ,
        query={"product": Place("product", 404), "location": Place("location", 404)},
        idle=("query.from", "query.days", "query.quantiles", "query.whole"),
    ),
    *(
        v1(
            "GET", "/forecasts/export", READ, query={"format": format},
            idle=("query.quantiles", "query.whole"),
        )
        for format in ("csv", "json", "parquet")
    ),
    v1(
        "GET", "/forecasts/{product}/explain", READ, path={"product": Place("product", 404)},
        query={"location": Place("location", 404), "date": EXPLAINED_DAY},
    ),
]  # fmt: skip
SOURCES = [
    v1("GET", "/sources", READ),
    v1(
        "GET", "/sources/{source}/syncs/{sync_id}", READ,
        path={"source": "sales", "sync_id": Place("sync", 404)},
    ),
    v1(
        "POST", "/sources/{source}/sync", INGEST, 202, path={"source": "sales"},
        headers={"idempotency-key": Place("sync_request_key", 202)},
    ),
    v1(
        "PUT", "/sources/{source}", ADMIN, path={"source": "weather"}, body={"kind": "none"},
        idle=("body.base_url", "body.credentials", "body.options"),
    ),
]  # fmt: skip
SPOOL = [
    v1(
        "GET", "/spool", READ | INGEST,
        query={"cursor": page("spool_page")}, idle=LIST,
    ),
    v1(
        "GET", "/spool/{receipt_id}", READ | INGEST,
        path={"receipt_id": Place("receipt", 404)},
    ),
    v1(
        "GET", "/spool/{receipt_id}", READ | INGEST,
        path={"receipt_id": Place("rejected", 404)},
    ),
    v1("DELETE", "/spool/{receipt_id}", INGEST, 204, path={"receipt_id": Place("rejected", 404)}),
]  # fmt: skip
SALES = [
    v1("GET", "/locations", READ, query={"cursor": page("locations_page")}, idle=LIST),
    v1("GET", "/products", READ, query={"cursor": page("products_page")}, idle=LIST),
    *(
        v1(
            "GET", "/sales", READ,
            query={
                "product": Place("product", 200), "location": Place("location", 200),
                "format": format,
            },
            idle=("query.from", "query.to"),
        )
        for format in ("json", "csv", "parquet")
    ),
    v1(
        "GET", "/sales/quality", READ,
        query={"product": Place("product", 200), "location": Place("location", 200)},
    ),
    v1(
        "PUT", "/events/{id}", INGEST, path={"id": Place("event", 200)},
        body={
            "name": "feast", "dates": [str(FIRST_DAY)], "locations": [Place("location", 200)],
        },
        idle=("body.window_before", "body.window_after"),
    ),
    *(
        v1(
            "POST", "/sales", INGEST, body={"rows": [SALE]}, content=content, media_type=media_type
        )
        for media_type, content in TABULAR
    ),
    *(
        v1(
            "POST", "/regressors", INGEST, body={"rows": [KNOWN]}, content=content,
            media_type=media_type,
        )
        for media_type, content in TABULAR
    ),
    v1(
        "PUT", "/locations/{location}", INGEST, path={"location": Place("location", 200)},
        body=LOCATION, idle=LOCATION_IDLE,
    ),
    v1(
        "PUT", "/products/{product}", INGEST, path={"product": Place("product", 200)},
        body={"name": "rye"}, idle=PRODUCT_IDLE,
    ),
]  # fmt: skip
POLICY = [
    v1("GET", "/retraining-policy", READ),
    v1(
        "PUT", "/retraining-policy", ADMIN, body={"new_rows": 7},
        idle=tuple(
            f"body.{name}"
            for name in (
                *("enabled", "max_age_days", "on_degraded_accuracy", "on_corrected_data"),
                *("window", "cooldown_hours"),
            )
        ),
    ),
]  # fmt: skip
ROWS: Final[list[Row]] = [
    *PUBLIC,
    *OPERATORS,
    *TENANTS,
    *JOBS,
    *MODELS,
    *FORECASTS,
    *SOURCES,
    *SPOOL,
    *SALES,
    *POLICY,
]
