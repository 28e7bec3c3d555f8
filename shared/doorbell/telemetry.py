"""What doorbells tell of themselves."""

from prometheus_client import Counter, Gauge, Histogram

LISTENER_UP = Gauge(
    "morrow_listener_up",
    "1 while the process hears what it rings itself",
    ["role"],
    multiprocess_mode="livemin",
)
RECONNECTS = Counter(
    "morrow_listener_reconnects_total", "Listening connections after the first", ["role"]
)
ROUND_TRIP_SECONDS = Histogram(
    "morrow_doorbell_seconds",
    "Seconds until a process heard what it rang to probe its listener",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 3),
)
