"""What is told of the spool. Every process of a host sees the same one, so none adds to another."""

import time

from prometheus_client import Counter, Gauge

from services.training.spool.shelf import Tally

BATCHES = Gauge("morrow_spool_batches", "Batches that wait", multiprocess_mode="livemax")
BYTES = Gauge("morrow_spool_bytes", "Bytes that wait", multiprocess_mode="livemax")
OLDEST_SECONDS = Gauge(
    "morrow_spool_oldest_seconds",
    "Age of the batch that waits longest",
    multiprocess_mode="livemax",
)
REJECTED = Gauge(
    "morrow_spool_rejected", "Batches refused when replayed, and kept", multiprocess_mode="livemax"
)
ACKNOWLEDGED = Counter("morrow_spool_acknowledged_total", "Batches taken onto the disk", ["kind"])
REFUSED = Counter("morrow_spool_refused_total", "Batches the disk had no room for", ["reason"])
REPLAYED = Counter(
    "morrow_spool_replayed_total", "Batches replayed, by what became of them", ["how"]
)


def show(tally: Tally) -> None:
    """Set the gauges."""
    BATCHES.set(tally.batches)
    BYTES.set(tally.bytes)
    REJECTED.set(tally.rejected)
    OLDEST_SECONDS.set(0 if tally.oldest_at is None else max(0, time.time() - tally.oldest_at))
