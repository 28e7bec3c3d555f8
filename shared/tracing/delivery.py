"""The way of ended spans to the collector: bounded, beside the work, and never in its way."""

import logging
import threading
from collections.abc import Sequence
from typing import Final

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.tracing.telemetry import SPANS_DROPPED, SPANS_SENT

MOST_WAITING: Final = 2048
"""Less than the batches' own queue holds with what is being sent, so that it drops none itself."""
TALKATIVE: Final = ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal", "urllib3")

log = structlog.get_logger()


class Counted(SpanExporter):
    """Sends with `exporter`, counts what came of it, and says once when that changes."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lock = threading.Lock()
        self._waiting = 0
        self._taken = True

    def take(self) -> bool:
        """Whether there is room for one more."""
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return False
            self._waiting += 1
            return True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        taken = result is SpanExportResult.SUCCESS
        with self._lock:
            self._waiting = max(0, self._waiting - len(spans))
        if taken:
            SPANS_SENT.inc(len(spans))
        else:
            SPANS_DROPPED.labels("not_taken").inc(len(spans))
        if taken is not self._taken:
            self._taken = taken
            log.warning("spans_taken_again" if taken else "spans_not_taken")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def give_up(self) -> None:
        """The process ends: what waits is lost."""
        with self._lock:
            left, self._waiting = self._waiting, 0
        if left:
            SPANS_DROPPED.labels("ended").inc(left)
            log.warning("spans_lost", spans=left)


class Delivery(SpanProcessor):
    """Takes ended spans; those for which there is no room are dropped."""

    def __init__(self, exporter: SpanExporter, flush_seconds: float) -> None:
        self._flush_seconds = flush_seconds
        self._counted = Counted(exporter)
        self._batches = BatchSpanProcessor(self._counted, max_queue_size=2 * MOST_WAITING)
        for name in TALKATIVE:  # they would say it of every batch
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        pass

    def on_end(self, span: ReadableSpan) -> None:
        if not span.context.trace_flags.sampled:
            return
        if self._counted.take():
            self._batches.on_end(span)
        else:
            SPANS_DROPPED.labels("queue_full").inc()

    def shutdown(self) -> None:
        """Send what waits, for `flush_seconds` at most; the library would wait half a minute."""
        sending = threading.Thread(target=self._batches.shutdown, name="spans", daemon=True)
        sending.start()
        sending.join(self._flush_seconds)
        if sending.is_alive():
            self._counted.shutdown()
        self._counted.give_up()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._batches.force_flush(timeout_millis)
