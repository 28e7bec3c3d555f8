"""What is told of streams."""

from prometheus_client import Counter, Gauge, Histogram

STREAMS_OPEN = Gauge(
    "morrow_streams_open", "Streams that are open now", ["kind"], multiprocess_mode="livesum"
)
STREAMS_CLOSED = Counter(
    "morrow_streams_closed_total",
    "Streams that have ended, by the code of their end; `client`: who watched has gone",
    ["code"],
)
STREAM_LAG = Histogram(
    "morrow_stream_lag_seconds",
    "Seconds from an event to its being sent to one who watched already, or to all at once",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS_SENT = Counter("morrow_stream_events_sent_total", "Events sent, by kind of stream", ["kind"])
LOGS_FOLLOWED = Gauge(
    "morrow_stream_logs_followed", "Logs that are followed now", multiprocess_mode="livesum"
)
LOG_READS = Counter(
    "morrow_stream_log_reads_total",
    "Reads of logs: to `follow` one for all who watch it, or to `replay` what is older",
    ["why"],
)
READS_FAILED = Counter("morrow_stream_reads_failed_total", "Reads of logs that failed")
