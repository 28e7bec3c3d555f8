"""What breakers count; by kind, since one a tenant would be too many to tell apart."""

from prometheus_client import Counter, Gauge

CHANGES = Counter(
    "morrow_breaker_changes_total", "Changes of circuit breakers, by the new state", ["kind", "to"]
)
OPEN = Gauge(
    "morrow_breakers_open",
    "Circuit breakers that are not closed now; each process has its own of what it calls",
    ["kind"],
    multiprocess_mode="livemax",
)
