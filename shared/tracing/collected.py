"""Spans by OpenTelemetry. Imported only where a collector is named, for it is large."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import StatusCode

from shared.tracing.clock import Clock
from shared.tracing.delivery import Delivery
from shared.tracing.spans import Attributes, Kind, Span, Tracer
from shared.tracing.traceparent import Place, place_in

KINDS: Final = {kind: SpanKind[kind.value] for kind in Kind}


def collected(service: str, version: str, flush_seconds: float) -> Tracer:
    """A tracer whose spans go to the collector that the environment names. `flush_seconds`:
    how long it may take in the end to send what waits."""
    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or service,
            "service.version": version,
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(Delivery(OTLPSpanExporter(), flush_seconds))
    return Collected(provider, provider.get_tracer("morrow", version))


class Live:
    """A span under way."""

    def __init__(self, span: trace.Span, clock: Clock) -> None:
        self._span = span
        self._clock = clock

    def call(self, name: str) -> None:
        if self._span.is_recording():
            self._span.update_name(name)

    def note(self, attributes: Attributes) -> None:
        if self._span.is_recording():
            self._span.set_attributes(attributes)

    def end(self) -> None:
        if self._span.is_recording():
            self._span.end(self._clock.now())

    def fail(self, error: BaseException) -> None:
        self.note({"error.type": type(error).__name__})
        failed = isinstance(error, Exception)  # who was cancelled has not
        if failed and self._span.is_recording():
            self._span.set_status(StatusCode.ERROR)


class Collected:
    """The tracer of a process."""

    def __init__(self, provider: TracerProvider, tracer: trace.Tracer) -> None:
        self._provider = provider
        self._tracer = tracer
        self._clock = Clock()
        self._closed = False
        self._goes_on_with: ContextVar[str | None] = ContextVar("goes_on_with", default=None)

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        parent: str | None,
        beside: str | None,
        began: float | None,
    ) -> Iterator[Span]:
        linked = place_in(beside)
        span = self._tracer.start_span(
            name,
            _context(parent),
            KINDS[kind],
            attributes,
            [] if linked is None else [Link(_spoken(linked))],
            self._clock.now() if began is None else self._clock.instant(began),
        )
        live = Live(span, self._clock)
        token = attach(trace.set_span_in_context(span))
        origin = None if parent is None else self._goes_on_with.set(parent)
        try:
            yield live
        except BaseException as error:
            live.fail(error)
            raise
        finally:
            if origin is not None:
                self._goes_on_with.reset(origin)
            detach(token)
            live.end()

    def past(
        self, name: str, began: float, ended: float, attributes: Attributes, parent: str | None
    ) -> None:
        start, end = self._clock.instant(began), self._clock.instant(ended)
        span = self._tracer.start_span(
            name, _context(parent), attributes=attributes, start_time=start
        )
        span.end(end)

    def note(self, attributes: Attributes) -> None:
        Live(trace.get_current_span(), self._clock).note(attributes)

    def header(self) -> str | None:
        here = trace.get_current_span().get_span_context()
        if not here.is_valid:
            return None
        return str(Place(here.trace_id, here.span_id, here.trace_flags.sampled))

    def carried(self) -> str | None:
        return self._goes_on_with.get() or self.header()

    def log_ids(self) -> Mapping[str, str]:
        here = trace.get_current_span().get_span_context()
        if not (here.is_valid and here.trace_flags.sampled):
            return {}
        return {"trace_id": f"{here.trace_id:032x}", "span_id": f"{here.span_id:016x}"}

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._provider.shutdown()


def _context(parent: str | None) -> Context | None:
    """Of what goes on here; None: that of whoever asks."""
    place = place_in(parent)
    if place is None:
        return None
    return trace.set_span_in_context(NonRecordingSpan(_spoken(place)))


def _spoken(place: Place) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if place.sampled else TraceFlags.DEFAULT)
    return SpanContext(place.trace_id, place.span_id, is_remote=True, trace_flags=flags)
