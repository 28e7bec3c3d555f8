"""What the sending of spans tells of itself."""

from typing import Final

from prometheus_client import Counter

REASONS: Final = ("queue_full", "not_taken", "ended")

SPANS_SENT = Counter("morrow_spans_sent_total", "Spans that the collector took")
SPANS_DROPPED = Counter(
    "morrow_spans_dropped_total",
    "Spans that were lost: the queue was full, the collector did not take them, or the process "
    "ended first",
    ["reason"],
)
