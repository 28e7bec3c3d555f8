"""What calls to upstreams count, by the kind of the breaker: tenants are too many to tell apart."""

from prometheus_client import Counter, Histogram

CALLS = Counter(
    "morrow_upstream_calls_total", "Calls to upstreams, by how they ended", ["kind", "how"]
)
RETRIES = Counter("morrow_upstream_retries_total", "Calls that were repeated", ["kind"])
CALL_SECONDS = Histogram(
    "morrow_upstream_call_seconds",
    "Seconds of one call to an upstream",
    ["kind"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120),
)
